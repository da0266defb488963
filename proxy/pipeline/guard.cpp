#include "proxy/pipeline/guard.hpp"

#include <algorithm>
#include <array>

#include "core/hop_by_hop.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "proxy/pipeline/grpc_call.hpp"
#include "proxy/routing/path.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

bool is_sane_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= limits::request_id &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.' || c == ':' || c == '+' || c == '/' ||
                      c == '=';
           });
}

/// The two hex digits of each byte.
constexpr auto hex_pairs = [] {
    constexpr char digits[] = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (std::size_t byte = 0; byte < pairs.size(); ++byte)
        pairs[byte] = {digits[byte >> 4], digits[byte & 15]};
    return pairs;
}();

/// 128 random bits as hex.
std::string_view make_id(Exchange& x) {
    constexpr std::size_t size = 32;
    Rng& rng = x.worker.loop().rng();
    char* const text = x.arena.take(size);
    for (char* at = text; at != text + size;) {
        std::uint64_t bits = rng.next();
        for (std::size_t i = 0; i < sizeof bits; ++i, bits >>= 8)
            at = std::ranges::copy(hex_pairs[bits & 255], at).out;
    }
    return {text, size};
}

/// The rightmost address that is not one of ours (X-Forwarded-For of a trusted peer).
std::string_view client_address(const Exchange& x) {
    if (!x.client->trusted) return x.client->ip;
    std::string_view found = x.client->ip;
    for (std::size_t i = x.request.fields.size(); i-- > 0;) {
        const HeaderField& field = x.request.fields[i];
        if (field.id != Field::x_forwarded_for) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view last = pop_last_in_list(rest);
            const std::optional<SocketAddress> address = SocketAddress::from_ip(last, 0);
            if (!address) return found;  // not an address: nothing left of it can be believed
            found = last;
            if (!is_trusted(x.config(), *address)) return found;
        }
    }
    return found;
}

/// Our own node in Via, or too many hops (RFC 9110 section 7.6.3).
bool is_loop(const Exchange& x) {
    unsigned hops = 0;
    for (const HeaderField& field : x.request.fields) {
        if (field.id != Field::via) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view hop = pop_last_in_list(rest);
            const std::size_t space = hop.find(' ');
            if (space == std::string_view::npos) continue;
            const std::string_view by = hop.substr(space + 1);
            if (by.substr(0, by.find(' ')) == x.snapshot->shared->node) return true;
            if (++hops >= limits::via_hops) return true;
        }
    }
    return false;
}

/// Whose certificate it was is told by us, or by a trusted proxy that had the client before it.
void tell_subject(Exchange& x) {
    const bool shown = x.client->tls && !x.client->tls->subject.empty();
    HeaderList& fields = x.request.fields;
    if (shown || !x.client->trusted) fields.remove(client_subject_name);
    if (shown) fields.add(client_subject_name, x.client->tls->subject);
}

/// The host alone: without port and brackets.
std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
    return authority.substr(0, authority.rfind(':'));
}

/// The connection was asked for under a name, and this is a request for one that its certificate
/// is not for. Who asked for none, or stands before us for others, is not held to it.
bool is_misdirected(const Exchange& x) {
    if (!x.client->tls || x.client->trusted || x.request.authority.empty()) return false;
    const TlsFacts& tls = *x.client->tls;
    if (tls.server_name.empty()) return false;
    return !tls.context->serves(tls.server_name, host_of(x.request.authority));
}

}  // namespace

bool is_trusted(const config::Config& config, const SocketAddress& address) noexcept {
    return std::any_of(config.trusted_proxies.begin(), config.trusted_proxies.end(),
                       [&](const Cidr& block) { return block.contains(address); });
}

void identify(Exchange& x) {
    remove_named_by_connection(x.request.fields);
    x.grpc = is_grpc_call(x.request);
    if (x.grpc) {
        remove_disguised(x.request.fields);
    } else {
        remove_underscored(x.request.fields);
    }
    tell_subject(x);
    x.explained = x.client->trusted && x.request.fields.value(Field::x_scrollgate_explain) == "1";
    ExchangeRecord& record = x.record;
    record.client = client_address(x);
    record.method = x.request.method_text;
    record.host = x.request.authority;
    record.path = x.request.target;
    record.version = x.request.version;
    const std::string_view given =
        x.client->trusted ? x.request.fields.value(Field::x_request_id) : std::string_view();
    record.request_id = is_sane_id(given) ? given : make_id(x);
    if (x.worker.log_enabled()) {
        record.referer = x.request.fields.value(Field::referer);
        record.user_agent = x.request.fields.value(Field::user_agent);
    }
}

Result<std::string_view> guard(Exchange& x) {
    const RequestHead& request = x.request;
    if (x.client->lacks_tls) {
        return Error{ErrorKind::plain_on_tls, false, {}, "plain HTTP on a port for TLS"};
    }
    if (is_misdirected(x)) return Error{ErrorKind::misdirected};
    const config::Limits& limits = x.config().limits;
    if (request.body.kind == BodyFraming::Kind::length && request.body.length > limits.body) {
        return Error{ErrorKind::body_too_large};
    }
    if (const HeaderField* expect = request.fields.find(Field::expect)) {
        if (!equal_no_case(expect->value, "100-continue")) {
            return Error{ErrorKind::expectation_failed};
        }
        x.expects_continue = request.version != Version::http10 && request.body.has_body();
    }
    if (is_loop(x)) return Error{ErrorKind::loop_detected};
    if (request.form == TargetForm::asterisk) return request.path;
    return normalise_path(request.path, x.path_storage);
}

}  // namespace scrollgate
