#include "health/http2_probe.hpp"

#include <optional>

#include <fmt/format.h>

#include "core/grpc_health.hpp"
#include "core/http2/client_session.hpp"
#include "core/http2/link.hpp"
#include "core/limits.hpp"

namespace scrollgate {
namespace {

using Kind = ProbePlan::Kind;

/// The one stream: sends the request's body, keeps of the response what is looked at.
class Asked final : public http2::ClientStream {
  public:
    Asked(EventLoop& loop, std::string body) : loop_(loop), body_(std::move(body)) {}

    /// co_await asked.ended(): until the response is whole, long enough, or not to be had.
    auto ended() noexcept {
        struct Awaiter {
            Asked& self;
            bool await_ready() const noexcept { return self.ended_; }
            void await_suspend(std::coroutine_handle<> h) const noexcept { self.waiting_ = h; }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }
    [[nodiscard]] std::size_t length() const noexcept { return body_.size(); }
    // -- after it
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }
    [[nodiscard]] std::uint16_t status() const noexcept { return status_; }
    [[nodiscard]] const std::string& start() const noexcept { return start_; }
    [[nodiscard]] std::optional<grpc::Status> grpc() const noexcept { return grpc_; }

  private:
    void head_came(const ResponseHead& head) noexcept override {
        status_ = head.status;
        note(head.fields);
    }
    void body_came(std::string_view bytes) noexcept override {
        if (ended_) return;
        start_.append(bytes.substr(0, limits::check_body - start_.size()));
        if (start_.size() == limits::check_body) end();
    }
    void response_ended(const HeaderList* trailers) noexcept override {
        if (trailers != nullptr) note(*trailers);
        end();
    }
    void failed(const Error& error) noexcept override {
        if (!ended_) error_ = error;
        end();
    }
    http2::BodyPart fill_body(std::span<char> into) noexcept override {
        const std::size_t part = body_.copy(into.data(), into.size(), sent_);
        sent_ += part;
        return {part, sent_ == body_.size()};
    }

    void note(const HeaderList& fields) noexcept {
        const HeaderField* const status = fields.find(Field::grpc_status);
        if (status != nullptr) grpc_ = grpc::status_from(status->value);
    }
    void end() noexcept {
        ended_ = true;
        if (waiting_) loop_.resume_later(std::exchange(waiting_, {}));
    }

    EventLoop& loop_;
    std::string body_, start_;
    std::size_t sent_ = 0;
    std::uint16_t status_ = 0;
    std::optional<grpc::Status> grpc_;
    std::optional<Error> error_;
    std::coroutine_handle<> waiting_;
    bool ended_ = false;
};

/// The request, for a body of `length` bytes.
RequestHead request_of(const ProbePlan& plan, std::size_t length) {
    RequestHead head;
    head.scheme = plan.dial.tls ? "https" : "http";
    head.authority = plan.host;
    head.fields.add("user-agent", "scrollgate/" SCROLLGATE_VERSION);
    if (length > 0) head.body = {BodyFraming::Kind::length, length};
    if (plan.kind == Kind::grpc) {
        head.method_text = "POST";
        head.target = grpc::health_check_path;
        head.body.kind = BodyFraming::Kind::chunked;  // as calls are sent
        head.fields.add("content-type", "application/grpc");
        head.fields.add("te", "trailers");
    } else {
        head.method_text = plan.method;
        head.target = plan.path;
        head.fields.add("accept", "*/*");
        if (length > 0) head.fields.add("content-type", "application/json");
    }
    head.method = method_from(head.method_text);
    return head;
}

ProbeResult judge_call(const Asked& asked) {
    if (asked.status() != 200) return {false, fmt::format("status {}", asked.status())};
    if (!asked.grpc()) return {false, "does not speak gRPC"};
    if (*asked.grpc() != grpc::Status::ok)
        return {false, fmt::format("grpc-status {}", grpc::name(*asked.grpc()))};
    const std::optional<grpc::Serving> serving = grpc::health_response(asked.start());
    if (!serving) return {false, "its answer is malformed"};
    if (*serving == grpc::Serving::serving) return {true, {}};
    return {false, std::string(grpc::name(*serving))};
}

ProbeResult judge(const ProbePlan& plan, const Asked& asked, const Connection& connection) {
    if (const std::optional<Error>& error = asked.error()) {
        if (connection.failure() || error->cause) return cut_short(connection);
        if (error->kind == ErrorKind::upstream_malformed)
            return {false, fmt::format("not HTTP/2: {}", error->detail)};
        return {false, "stream reset"};
    }
    if (plan.kind == Kind::grpc) return judge_call(asked);
    ProbeResult result = judge_status(plan, asked.status());
    if (!result.passed) return result;
    return judge_body(plan, asked.start());
}

}  // namespace

Task<ProbeResult> ask_over_http2(const ProbePlan& plan, Connection& connection) {
    if (plan.dial.tls && connection.alpn() != "h2")
        co_return ProbeResult{false, "does not agree to HTTP/2 over TLS"};
    http2::SessionOptions options;
    options.header_bytes = limits::check_head;
    options.streams = 1;
    http2::ClientSession session(options);
    http2::Carrier carrier(connection, session);
    Asked asked(connection.loop(),
                plan.kind == Kind::grpc ? grpc::health_request(plan.service) : plan.content);
    const RequestHead head = request_of(plan, asked.length());
    if (!session.submit(asked, head)) co_return ProbeResult{false, "out of memory", true};
    Child carrying;
    carrying.start(carrier.carry());
    co_await asked.ended();
    ProbeResult result = judge(plan, asked, connection);
    if (asked.open()) session.reset(asked);
    connection.close();
    co_await carrying.join();
    co_return result;
}

}  // namespace scrollgate
