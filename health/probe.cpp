#include "health/probe.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/http1/chunk_decoder.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/head_parser.hpp"
#include "core/http1/head_writer.hpp"
#include "core/limits.hpp"
#include "health/http2_probe.hpp"

namespace scrollgate {

/// Between probes nothing is pending on it: what comes then is found by quiet().
class Probe::Line final : public Connection {
  public:
    using Connection::Connection;

  private:
    void input_seen() noexcept override {}
};

void Probe::LineDelete::operator()(Line* line) const noexcept {
    delete line;
}

namespace {

using Way = Connection::Way;

std::string request_of(const ProbePlan& plan) {
    HeaderList fields;
    fields.add("User-Agent", "scrollgate/" SCROLLGATE_VERSION);
    fields.add("Accept", "*/*");
    http1::HopFields hop{.body = {}, .connection = {}, .upgrade = {}};
    if (!plan.content.empty()) {
        fields.add("Content-Type", "application/json");
        hop.body = {BodyFraming::Kind::length, plan.content.size()};
    }
    std::string head;
    http1::append_request_head(head, plan.method, plan.path, plan.host, fields, hop);
    return head;
}

}  // namespace

Task<ProbeResult> Probe::run(const ProbePlan& plan) {
    ProbeResult result{false, "its name does not resolve"};
    for (const SocketAddress& address : plan.addresses) {
        if (cancelled_) break;
        result = co_await ask(plan, address);
        if (result.passed || result.starved) break;
    }
    co_return result;
}

void Probe::cancel() noexcept {
    cancelled_ = true;
    if (connection_) connection_->fail(ErrorKind::cancelled);
}

bool Probe::reusable(const ProbePlan& plan, const SocketAddress& address) const {
    return connection_ && peer_ == address && target_ == plan.dial.tls &&
           plan.dial.preface.empty() && connection_->is_open() && connection_->quiet();
}

/// Once connected. Over TLS it is what both sides have agreed on.
bool Probe::over_http2(const ProbePlan& plan) const {
    if (plan.kind == ProbePlan::Kind::grpc) return true;
    if (plan.kind != ProbePlan::Kind::http) return false;
    return plan.http2 || connection_->alpn() == "h2";
}

Task<ProbeResult> Probe::ask(const ProbePlan& plan, const SocketAddress& address) {
    const TimePoint until = loop_.now() + plan.timeout;
    const bool reuses = plan.kind == ProbePlan::Kind::http && reusable(plan, address);
    keep_ = false;
    ProbeResult result{true, {}};
    if (!reuses) {
        connection_.reset(new Line(loop_, dialer_.open(loop_, plan.dial)));
        target_ = plan.dial.tls;
        connection_->expire_at(Way::read, until, ErrorKind::upstream_timeout);
        result = co_await connect(address);
    } else {
        connection_->expire_at(Way::read, until, ErrorKind::upstream_timeout);
    }
    received_before_ = connection_->received_total();
    if (result.passed && plan.kind == ProbePlan::Kind::redis) result = co_await redis(until);
    if (result.passed && over_http2(plan)) {
        result = co_await ask_over_http2(plan, *connection_);
    } else if (result.passed && plan.kind == ProbePlan::Kind::http) {
        result = co_await http(plan, until);
    }
    const bool unheard = connection_->received_total() == received_before_;
    const bool stale = reuses && !result.passed && unheard && !connection_->failure();
    connection_->expire_at(Way::read, never, ErrorKind::cancelled);
    if (!keep_) {
        connection_->close();
        connection_.reset();
    }
    if (stale && !cancelled_) co_return co_await ask(plan, address);
    co_return result;
}

Task<ProbeResult> Probe::connect(const SocketAddress& address) {
    peer_ = address;
    const boost::system::error_code error = co_await connection_->connect(address);
    if (connection_->failure() || error) co_return not_connected(*connection_, error);
    co_return ProbeResult{true, {}};
}

/// A server that asks for a password is there.
Task<ProbeResult> Probe::redis(TimePoint until) {
    const Connection::Patience patience{.until = until, .out_of_time = ErrorKind::upstream_timeout};
    const std::string ping = "PING\r\n";
    const IoResult sent = co_await connection_->write(patience, ping);
    if (sent.error) co_return cut_short(*connection_);
    constexpr std::size_t longest = 256;
    for (;;) {
        const std::string_view answer = connection_->received();
        const std::size_t end = answer.find("\r\n");
        if (end != std::string_view::npos) {
            const std::string_view line = answer.substr(0, end);
            if (line == "+PONG" || line.starts_with("-NOAUTH")) co_return ProbeResult{true, {}};
            co_return ProbeResult{false, fmt::format("answered {:?}", line.substr(0, 60))};
        }
        if (answer.size() > longest) co_return ProbeResult{false, "does not speak Redis"};
        const bool more = co_await connection_->more();
        if (!more) co_return cut_short(*connection_);
    }
}

Task<ProbeResult> Probe::http(const ProbePlan& plan, TimePoint until) {
    const Connection::Patience patience{.until = until, .out_of_time = ErrorKind::upstream_timeout};
    const std::string head = request_of(plan);
    const IoResult sent = co_await connection_->write(patience, head, plan.content);
    if (sent.error) co_return cut_short(*connection_);
    std::uint16_t status = 0;
    BodyFraming body;
    ProbeResult result = co_await http_head(plan, status, body);
    if (!result.passed) co_return result;
    result = judge_status(plan, status);
    // Also read if the verdict is there already: then the connection can be kept.
    const ProbeResult content = co_await http_body(plan, body);
    if (!result.passed) co_return result;
    co_return content;
}

/// Up to the final head; keep_ as it says.
Task<ProbeResult> Probe::http_head(const ProbePlan& plan, std::uint16_t& status,
                                   BodyFraming& body) {
    const http1::HeadLimits bounds{limits::check_head, limits::headers, limits::uri_bytes};
    const Method method = method_from(plan.method);
    std::size_t scanned = 0;
    ResponseHead head;
    for (unsigned interim = 0;;) {
        const http1::ParseResult parsed =
            http1::parse_response_head(connection_->received(), bounds, scanned, method, head);
        if (parsed.status == http1::ParseResult::Status::failed) {
            co_return ProbeResult{false, fmt::format("not HTTP: {}", parsed.detail)};
        }
        if (parsed.status == http1::ParseResult::Status::complete) {
            status = head.status;
            body = head.body;
            keep_ = !http1::wants_close(head.version, head.fields);
            connection_->consume(parsed.consumed);
            if (status >= 200) co_return ProbeResult{true, {}};
            if (status == 101 || ++interim > limits::interim_responses) {
                co_return ProbeResult{false, fmt::format("status {}", status)};
            }
            scanned = 0;
            head.clear();
            continue;
        }
        const bool more = co_await connection_->more();
        if (!more) co_return cut_short(*connection_);
    }
}

namespace {

/// Takes a body as it comes: how much of it there was, and whether a text occurs in it.
class BodyLook {
  public:
    BodyLook(const BodyFraming& framing, const std::string& wanted)
        : framing_(framing), wanted_(wanted) {}

    enum class State : std::uint8_t { more, whole, enough, malformed };
    /// Consumes from the connection what is there.
    State take(Connection& connection) {
        if (!framing_.has_body()) return State::whole;
        while (!connection.received().empty()) {
            const std::string_view input = connection.received();
            std::string_view data = input;
            std::size_t used = input.size();
            bool done = false;
            if (framing_.kind == BodyFraming::Kind::length) {
                used = static_cast<std::size_t>(
                    std::min<std::uint64_t>(input.size(), framing_.length - length_));
                data = input.substr(0, used);
                done = length_ + used == framing_.length;
            } else if (framing_.kind == BodyFraming::Kind::chunked) {
                const http1::ChunkDecoder::Step step = decoder_.next(input);
                if (step.kind == http1::ChunkDecoder::Step::Kind::failed) return State::malformed;
                used = step.consumed;
                data = step.data;
                done = step.kind == http1::ChunkDecoder::Step::Kind::done;
            }
            length_ += data.size();
            if (!wanted_.empty() && kept_.size() < limits::check_body) {
                kept_.append(data.substr(0, limits::check_body - kept_.size()));
            }
            connection.consume(used);
            if (done) return State::whole;
            if (length_ >= limits::check_body) return State::enough;
            if (used == 0) break;
        }
        return State::more;
    }
    [[nodiscard]] const std::string& start() const { return kept_; }
    [[nodiscard]] bool ends_with_connection() const {
        return framing_.kind == BodyFraming::Kind::until_close;
    }

  private:
    BodyFraming framing_;
    const std::string& wanted_;
    http1::ChunkDecoder decoder_;
    std::string kept_;
    std::uint64_t length_ = 0;
};

}  // namespace

Task<ProbeResult> Probe::http_body(const ProbePlan& plan, BodyFraming framing) {
    BodyLook look(framing, plan.body);
    for (;;) {
        const BodyLook::State state = look.take(*connection_);
        if (state == BodyLook::State::malformed) {
            keep_ = false;
            co_return ProbeResult{false, "its body is malformed"};
        }
        if (state == BodyLook::State::whole && !connection_->received().empty()) keep_ = false;
        if (state == BodyLook::State::enough) keep_ = false;
        if (state != BodyLook::State::more) break;
        const bool more = co_await connection_->more();
        if (more) continue;
        keep_ = false;
        if (look.ends_with_connection() && !connection_->failure() && !connection_->broken()) break;
        co_return cut_short(*connection_);
    }
    co_return judge_body(plan, look.start());
}

}  // namespace scrollgate
