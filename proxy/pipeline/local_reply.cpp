#include "proxy/pipeline/local_reply.hpp"

#include <charconv>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "proxy/caching/explain_fields.hpp"
#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/pipeline/pipeline.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/routing/transform.hpp"

namespace scrollgate {
namespace {

/// A body of known length that is here already is read, so that the connection can go on to the
/// next request. Never waits: pull() of such a body gives what is there.
Task<void> drop_received_body(Exchange& x) {
    if (x.request.body.kind != BodyFraming::Kind::length || x.cancelled) co_return;
    std::size_t dropped = 0;
    while (!x.body->ended() && x.body->ready() && dropped < limits::buffer_small) {
        const Result<BodyChunk> chunk = co_await x.body->pull();
        if (!chunk) co_return;
        dropped += chunk->data.size();
    }
}

/// Sends x.response (status and fields filled in) with `body`. `reason`: a token.
Task<void> reply(Exchange& x, std::string_view body, std::string_view reason) {
    ResponseHead& head = x.response;
    head.reason = reason_phrase(head.status);
    // A call's answer is all trailers, and has no length.
    head.body = {x.grpc ? BodyFraming::Kind::chunked : BodyFraming::Kind::length, body.size()};
    x.record.status = head.status;
    prepare_response(x);
    explain_own(x, reason, head.fields);
    co_await drop_received_body(x);
    x.sink->head(head);
    const bool bodiless = x.request.method == Method::head || head.status == 204 ||
                          head.status == 304 || head.status == 205;
    const BodyChunk chunk{bodiless ? std::string_view() : body, true, nullptr};
    const Result<void> written = co_await x.sink->write(chunk);
    if (written) {
        x.record.bytes_out = chunk.data.size();
    } else {
        x.record.outcome = written.error().reason();
    }
}

bool accepts_json(const RequestHead& request) {
    const HeaderField* accept = request.fields.find(Field::accept);
    if (accept == nullptr) return true;
    if (accept->value.find("json") != std::string_view::npos) return true;
    return accept->value.find("text/") == std::string_view::npos;
}

std::string_view number(Exchange& x, std::uint64_t value) {
    char* const text = x.arena.take(20);
    return {text, static_cast<std::size_t>(std::to_chars(text, text + 20, value).ptr - text)};
}

}  // namespace

Task<void> reply_error(Exchange& x, const Error& error) {
    ResponseHead& head = x.response;
    head.clear();
    if (x.grpc) {
        head.status = 200;
        head.fields.add(Field::content_type, "application/grpc");
        add_grpc_status(x, error, head.fields);
        co_return co_await reply(x, {}, error.reason());
    }
    head.status = error.status();
    const std::string_view status = number(x, head.status);
    std::string_view body;
    if (error.kind == ErrorKind::plain_on_tls) {
        head.fields.add(Field::content_type, "text/plain; charset=utf-8");
        body = x.arena.join({"400 Bad Request\nThis port speaks TLS: use https://",
                             x.request.authority, " instead of http://.\nreason: ", error.reason(),
                             "\nrequest id: ", x.record.request_id, "\n"});
    } else if (accepts_json(x.request)) {
        head.fields.add(Field::content_type, "application/json");
        body = x.arena.join({"{\"status\":", status, ",\"reason\":\"", error.reason(),
                             "\",\"request_id\":\"", x.record.request_id, "\"}\n"});
    } else {
        head.fields.add(Field::content_type, "text/plain; charset=utf-8");
        body = x.arena.join({status, " ", reason_phrase(head.status), "\nreason: ", error.reason(),
                             "\nrequest id: ", x.record.request_id, "\n"});
    }
    head.fields.add(Field::cache_control, "no-store");
    if (head.status == 405) {
        head.fields.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    }
    if (head.status == 503) head.fields.add(Field::retry_after, "1");
    co_await reply(x, body, error.reason());
}

// HTTP/1.0 may come without Host; a place without a host is none.
Task<void> redirect(Exchange& x, const config::Redirect& rule) {
    const bool names_host = rule.to.find("{host}") != std::string::npos;
    if (names_host && x.request.authority.empty()) {
        const Error nowhere{ErrorKind::bad_host, false, {}, "a redirect needs a host"};
        co_return co_await refuse(x, nowhere);
    }
    const std::string location = redirect_location(rule, x.client->scheme, x.request);
    x.record.outcome = "redirect";
    x.response.clear();
    x.response.status = rule.status;
    x.response.fields.add(Field::location, x.arena.join({location}));
    co_await reply(x, {}, x.record.outcome);
}

bool is_plain(const Exchange& x) {
    if (x.client->tls) return false;
    return told_scheme(x) != "https";
}

Task<void> redirect_to_https(Exchange& x, std::uint16_t port) {
    config::Redirect rule;
    rule.to = port == 443 ? "https://{host}{uri}" : fmt::format("https://{{host}}:{}{{uri}}", port);
    co_await redirect(x, rule);
}

// To an extended CONNECT any success would open a tunnel (RFC 8441 section 5).
Task<void> respond(Exchange& x, const config::Respond& rule) {
    if (x.must_upgrade && rule.status < 300) {
        const Error nobody{ErrorKind::upgrade_unknown, false, {}, "the route answers by itself"};
        co_return co_await refuse(x, nobody);
    }
    x.record.outcome = "respond";
    x.response.clear();
    x.response.status = rule.status;
    if (!rule.body.empty()) x.response.fields.add(Field::content_type, rule.content_type);
    co_await reply(x, rule.body, x.record.outcome);
}

}  // namespace scrollgate
