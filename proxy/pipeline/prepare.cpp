#include "proxy/pipeline/prepare.hpp"

#include <charconv>

#include "core/hop_by_hop.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// Where the fields that an untrusted client must not bring in are told from others at one glance.
bool is_forwarded(Field id) noexcept {
    return id == Field::forwarded || id == Field::x_forwarded_for ||
           id == Field::x_forwarded_host || id == Field::x_forwarded_proto ||
           id == Field::x_real_ip;
}

/// All values of a field as one list, with `element`, if any, at its end (RFC 9110 section 5.3).
std::string_view list_with(Exchange& x, Field id, std::string_view element) {
    std::string_view list;
    for (const HeaderField& field : x.request.fields) {
        if (field.id != id || field.value.empty()) continue;
        list = list.empty() ? field.value : x.arena.join({list, ", ", field.value});
    }
    if (element.empty()) return list;
    return list.empty() ? element : x.arena.join({list, ", ", element});
}

/// What identify() has left of X-Client-Cert-Subject; all lines of a trusted proxy's as one list.
std::string_view take_subject(Exchange& x) {
    std::string_view subject;
    for (const HeaderField& field : x.request.fields) {
        if (field.id != Field::unknown || !equal_no_case(field.name, client_subject_name)) continue;
        subject = subject.empty() ? field.value : x.arena.join({subject, ", ", field.value});
    }
    if (!subject.empty()) x.request.fields.remove(client_subject_name);
    return subject;
}

/// One element of Forwarded (RFC 7239 section 4); of a client that is none, `unknown` (6.2).
std::string_view forwarded_element(Exchange& x) {
    const bool v6 = x.client->peer.family() == AF_INET6;
    const std::string_view open = v6 ? "for=\"[" : "for=";
    const std::string_view close = v6 ? "]\"" : "";
    const std::string_view host = x.request.authority;
    std::string_view ip = x.client->ip;
    if (ip.empty()) ip = "unknown";
    if (host.empty()) return x.arena.join({open, ip, close, ";proto=", x.client->scheme});
    return x.arena.join({open, ip, close, ";host=\"", host, "\";proto=", x.client->scheme});
}

/// X-Forwarded-*, Forwarded, X-Real-IP: anew for an untrusted peer, continued for a trusted one.
void set_forwarded(Exchange& x) {
    HeaderList& fields = x.request.fields;
    std::string_view chain = x.client->ip;
    std::string_view forwarded = forwarded_element(x);
    const std::string_view proto = told_scheme(x);
    std::string_view host = x.request.authority;
    if (x.client->trusted) {
        chain = list_with(x, Field::x_forwarded_for, chain);
        forwarded = list_with(x, Field::forwarded, forwarded);
        const std::string_view given = fields.value(Field::x_forwarded_host);
        if (!given.empty()) host = given;
    }
    fields.remove_if([](const HeaderField& f) { return is_forwarded(f.id); });
    if (!chain.empty()) fields.add(Field::x_forwarded_for, chain);
    fields.add(Field::x_forwarded_proto, proto);
    if (!host.empty()) fields.add(Field::x_forwarded_host, host);
    fields.add(Field::forwarded, forwarded);
    if (!x.record.client.empty()) fields.add(Field::x_real_ip, x.record.client);
}

void add_via(Exchange& x, HeaderList& fields, Version received) {
    if (x.route != nullptr && !x.route->route->via) return;
    fields.add(Field::via, x.snapshot->shared->via[static_cast<std::size_t>(received)]);
}

/// RFC 6797 7.1: once, and ours.
void add_hsts(Exchange& x, HeaderList& fields) {
    fields.remove(hsts_name);
    fields.add(hsts_name, x.route->hsts);
}

}  // namespace

std::string_view told_scheme(const Exchange& x) noexcept {
    if (!x.client->trusted) return x.client->scheme;
    const HeaderField* const given = x.request.fields.find(Field::x_forwarded_proto);
    if (given == nullptr) return x.client->scheme;
    for (const std::string_view known : {"https", "http"})
        if (equal_no_case(given->value, known)) return known;
    return given->value;
}

bool says_hsts(const Exchange& x) noexcept {
    return x.route != nullptr && !x.route->hsts.empty() && told_scheme(x) == "https";
}

std::optional<Error> prepare_target(Exchange& x, std::string_view path) {
    const RequestHead& request = x.request;
    std::string_view forwarded = x.route->route->raw_path ? request.path : path;
    if (x.route->rewrite && request.form != TargetForm::asterisk) {
        const Result<std::string_view> rewritten =
            x.route->rewrite->apply(forwarded, x.rewrite_storage);
        if (!rewritten) return rewritten.error();
        forwarded = *rewritten;
    }
    x.target = request.has_query ? x.arena.join({forwarded, "?", request.query}) : forwarded;
    return std::nullopt;
}

void prepare_fields(Exchange& x) {
    HeaderList& fields = x.request.fields;
    if (x.upgrade) x.upgrade_protocol = fields.value(Field::upgrade);
    const std::string_view subject = take_subject(x);
    remove_hop_by_hop(fields);
    set_forwarded(x);
    if (!subject.empty()) fields.add(client_subject_name, subject);
    add_via(x, fields, x.request.version);
    fields.remove(Field::x_request_id);
    fields.add(Field::x_request_id, x.record.request_id);
    if (x.grpc) remove_disguised(x.route->route->request_headers, fields);
    apply(x.route->route->request_headers, fields);
}

void prepare_interim(Exchange& x) {
    remove_hop_by_hop(x.response.fields);
    add_via(x, x.response.fields, x.response.version);
}

void prepare_response(Exchange& x) {
    HeaderList& fields = x.response.fields;
    remove_hop_by_hop(fields);
    bool dated = false;
    fields.remove_if([&](const HeaderField& f) {
        dated = dated || f.id == Field::date;
        return f.id == Field::x_request_id;
    });
    if (!dated) fields.add(Field::date, x.worker.date());  // RFC 9110 section 6.6.1
    add_own_fields(x, fields, x.response.version);
    if (x.route != nullptr) apply(x.route->route->response_headers, fields);
}

void prepare_for_storing(Exchange& x) {
    HeaderList& fields = x.response.fields;
    remove_hop_by_hop(fields);
    if (fields.find(Field::date) == nullptr) fields.add(Field::date, x.worker.date());
}

void add_own_fields(Exchange& x, HeaderList& fields, Version received) {
    add_via(x, fields, received);
    fields.add(Field::x_request_id, x.record.request_id);
    if (says_hsts(x)) add_hsts(x, fields);
}

std::string_view host_for(Exchange& x, const Endpoint& endpoint) {
    const config::Pool& pool = *x.snapshot->shared->pool(endpoint.pool).pool;
    if (pool.host_mode == config::Pool::HostMode::literal) return pool.host_literal;
    if (pool.host_mode == config::Pool::HostMode::client && !x.request.authority.empty()) {
        return x.request.authority;
    }
    const bool v6 = endpoint.name.find(':') != std::string::npos;
    const std::string_view name =
        v6 ? x.arena.join({"[", endpoint.name, "]"}) : std::string_view(endpoint.name);
    if (endpoint.port == (endpoint.tls ? 443 : 80)) return name;
    char port[6];
    const auto written = std::to_chars(port, port + sizeof port, endpoint.port);
    return x.arena.join({name, ":", std::string_view(port, written.ptr)});
}

}  // namespace scrollgate
