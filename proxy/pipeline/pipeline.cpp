#include "proxy/pipeline/pipeline.hpp"

#include "proxy/caching/cached.hpp"
#include "proxy/pipeline/failover.hpp"
#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/local_reply.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

std::optional<Error> find_route(Exchange& x, std::string_view path) {
    const Snapshot& snapshot = *x.snapshot->shared;
    const std::optional<std::size_t> index =
        snapshot.router.find(x.client->listener, path, x.request);
    if (!index) return Error{ErrorKind::no_route};
    x.path = path;
    x.route = &snapshot.routes[*index];
    x.record.route = *index;
    x.record.route_name = x.route->route->name;
    x.until = after(x.record.started, x.route->request);
    if (const std::optional<Error> error = x.grpc ? bound_call(x) : std::nullopt) return error;
    x.body->bound(x.grpc ? no_limit : x.route->client_body, x.until);
    x.sink->bound(x.route->client_write, x.until);
    return std::nullopt;
}

Task<void> serve(Exchange& x) {
    // guard: limits, methods, loops; one spelling of the path
    const Result<std::string_view> path = guard(x);
    if (!path) co_return co_await refuse(x, path.error());

    // route, or off to https
    if (const std::uint16_t port = x.client->https_redirect; port != 0 && is_plain(x))
        co_return co_await redirect_to_https(x, port);
    if (const std::optional<Error> error = find_route(x, *path)) {
        co_return co_await refuse(x, *error);
    }
    const config::Route& route = *x.route->route;
    if (route.https_redirect != 0 && is_plain(x))
        co_return co_await redirect_to_https(x, route.https_redirect);
    if (route.redirect) co_return co_await redirect(x, *route.redirect);
    if (route.respond) co_return co_await respond(x, *route.respond);

    // what the origin is asked for
    if (const std::optional<Error> error = prepare_target(x, *path)) {
        co_return co_await refuse(x, *error);
    }

    // cache: from what is stored, from a fill that asks an origin, or past it
    if (x.route->cache != nullptr) {
        const Result<void> answered = co_await serve_cached(x);
        if (!answered) co_await refuse(x, answered.error());
        co_return;
    }

    // what goes on: fields of this hop, forwarded fields
    prepare_fields(x);

    // balancer, attempts, relay; a tunnel if the origin agrees to an upgrade
    const Result<void> forwarded = co_await forward(x);
    if (!forwarded) co_await refuse(x, forwarded.error());
}

Task<void> refuse(Exchange& x, const Error& error) {
    x.record.outcome = error.reason();
    x.detail = error.detail;
    if (x.grpc) x.record.grpc = error.grpc();
    if (x.sink->committed()) {
        if (x.grpc && error.status() != 499) co_return co_await end_call(x, error);
        x.sink->abort();
        co_return;
    }
    x.record.status = error.status();
    // A TLS handshake would take an answer for garbage.
    if (error.status() == 499 || error.kind == ErrorKind::tls_on_plain) {
        x.sink->abort();
        co_return;
    }
    co_await reply_error(x, error);
}

}  // namespace scrollgate
