#include "proxy/http1/origin_end.hpp"

#include <algorithm>
#include <charconv>

#include "core/http1/framing.hpp"
#include "core/http1/head_parser.hpp"
#include "core/http1/head_writer.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

using Way = Connection::Way;

/// The origin's own idle limit, from "Keep-Alive: timeout=N" (seconds), a little early.
Duration keep_alive_hint(const HeaderList& fields) {
    std::string_view rest = fields.value(Field::keep_alive);
    while (!rest.empty()) {
        std::string_view parameter = pop_first_in_list(rest);
        if (!equal_no_case(parameter.substr(0, 8), "timeout=")) continue;
        unsigned seconds = 0;
        parameter.remove_prefix(8);
        std::from_chars(parameter.data(), parameter.data() + parameter.size(), seconds);
        return std::chrono::seconds(seconds) * 9 / 10;
    }
    return no_limit;
}

/// Without a body it says so, or some origins answer 411 (RFC 9110 section 8.6).
bool expects_content(Method method) noexcept {
    return method == Method::post || method == Method::put || method == Method::patch;
}

}  // namespace

void Http1OriginEnd::begin(Exchange& x, UpstreamLease connection) noexcept {
    x_ = &x;
    connection_ = std::move(connection);
    received_before_ = connection_->received_total();
    idle_ = Duration::zero();
    sink_.start(*connection_, {.patience = {.stall = x.route->upstream_body,
                                            .stalled = ErrorKind::upstream_stalled,
                                            .until = x.until},
                               .broken = ErrorKind::upstream_reset});
}

// ---- the request

Task<Result<void>> Http1OriginEnd::send(std::string_view host, bool flush) {
    Exchange& x = *x_;
    http1::HopFields hop{.body = x.request.body, .connection = {}, .upgrade = {}};
    if (!x.request.body.has_body() && expects_content(x.request.method))
        hop.body = {BodyFraming::Kind::length, 0};
    if (!x.upgrade_protocol.empty()) {
        hop.connection = "upgrade";
        hop.upgrade = x.upgrade_protocol;
    }
    http1::append_request_head(sink_.head(), x.request.method_text, x.target, host,
                               x.request.fields, hop);
    sink_.frame(x.request.body);
    if (flush) return sink_.flush();
    return Task<Result<void>>::ready(Result<void>());
}

// ---- the response

void Http1OriginEnd::expect_by(TimePoint when, ErrorKind late) {
    connection_->expire_at(Way::read, when, late);
}

Task<Result<void>> Http1OriginEnd::next_head(ResponseHead& head) {
    const http1::HeadLimits& limits = x_->snapshot->shared->head_limits;
    std::size_t scanned = 0;
    for (;;) {
        if (!connection_->received().empty()) {
            head.clear();
            const http1::ParseResult parsed = http1::parse_response_head(
                connection_->received(), limits, scanned, x_->request.method, head);
            if (parsed.status == http1::ParseResult::Status::failed) {
                co_return failed(parsed.error, parsed.detail);
            }
            if (parsed.status == http1::ParseResult::Status::complete) {
                connection_->consume(parsed.consumed);
                co_return Result<void>();
            }
            if (!connection_->reserve(connection_->received().size() + 1)) {
                co_return failed(ErrorKind::overloaded, "no buffer for the response head");
            }
        }
        if (!co_await connection_->more()) {
            if (connection_->starved()) co_return failed(ErrorKind::overloaded, "no buffer");
            co_return failed(ErrorKind::upstream_reset, "closed before its response was complete");
        }
    }
}

BodySource& Http1OriginEnd::response(const ResponseHead& head) {
    const bool closes = http1::wants_close(head.version, head.fields) ||
                        head.body.kind == BodyFraming::Kind::until_close;
    if (!closes)
        idle_ = std::min(x_->config().timeouts.upstream_idle, keep_alive_hint(head.fields));
    body_.start(*connection_, head.body,
                {.stall = x_->route->upstream_body,
                 .until = x_->until,
                 .stalled = ErrorKind::upstream_stalled,
                 .out_of_time = ErrorKind::request_timeout,
                 .cut_short = ErrorKind::upstream_truncated,
                 .malformed = ErrorKind::upstream_truncated,
                 .too_large = ErrorKind::upstream_truncated,
                 .most = limits::unlimited});
    return body_;
}

OriginEnd::Tunnel Http1OriginEnd::open_tunnel(Duration idle) {
    sink_.start(
        *connection_,
        {.patience = {.stall = idle}, .broken = ErrorKind::upstream_reset, .fin_at_end = true});
    sink_.frame({BodyFraming::Kind::until_close, 0});
    body_.start(*connection_, {BodyFraming::Kind::until_close, 0},
                {.cut_short = ErrorKind::upstream_reset});
    return {body_, sink_};
}

// ---- the end

Error Http1OriginEnd::failed(ErrorKind kind, const char* detail) const noexcept {
    return Error{connection_->failure().value_or(kind), false, connection_->broken(), detail};
}

bool Http1OriginEnd::died_unused(const Error& error) const noexcept {
    return error.kind == ErrorKind::upstream_reset && connection_->reused() &&
           connection_->received_total() == received_before_;
}

void Http1OriginEnd::finish(bool whole) noexcept {
    if (whole && idle_ > Duration::zero()) {
        connection_.keep(idle_);
    } else {
        connection_.reset();
    }
    worker_.http1_ends().give_back(*this);
}

}  // namespace scrollgate
