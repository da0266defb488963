#include "bench/load/http1_client.hpp"

#include <algorithm>

#include "bench/load/body_check.hpp"
#include "bench/load/client_common.hpp"
#include "core/http1/chunk_decoder.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/head_parser.hpp"
#include "core/limits.hpp"
#include "core/net/connection.hpp"
#include "core/net/tls_stream.hpp"
#include "core/task.hpp"

namespace scrollgate::bench {
namespace {

using Way = Connection::Way;

constexpr http1::HeadLimits head_limits{head_bytes, head_fields, 0};

/// A connection that learns what comes unasked: an end, or bytes that belong to no request.
struct ClientConnection final : Connection {
    using Connection::Connection;
    void input_seen() noexcept override { stale = true; }
    bool stale = false;
};

class Http1Client final : public LoadClient {
  public:
    Http1Client(LoadWorker& worker, const Dial& dial, std::size_t number)
        : worker_(worker),
          plan_(worker.plan()),
          dial_(dial),
          next_address_(number),
          backoff_(worker),
          check_(plan_.expect) {
        if (plan_.resume) session_ = std::make_shared<TlsSession>();
        for (const Plan::MethodShare& method : plan_.methods)
            add_method(method.name);
    }

    void start() override { runner_.start(run()); }
    void abort() noexcept override {
        if (connection_) connection_->close();
    }

  private:
    /// A request but for its target, ready to be sent.
    struct Frame {
        std::string before, after;
        bool with_body;
        Method method;
    };

    void add_method(const std::string& name);
    Task<void> run();
    Task<void> exchange(const Job& job, Sample& sample);
    Task<bool> open(Sample& sample);
    Task<void> drop();
    Task<void> respond(const Frame& frame, Sample& sample);
    Task<bool> read_head(Method method, Sample& sample);
    Task<bool> read_body(Sample& sample);
    Task<bool> read_chunks();

    LoadWorker& worker_;
    const Plan& plan_;
    const Dial& dial_;
    std::size_t next_address_;
    std::shared_ptr<TlsSession> session_;  ///< null unless sessions go on
    std::vector<Frame> frames_;            ///< by method
    std::unique_ptr<ClientConnection> connection_;
    Backoff backoff_;
    std::string request_;
    ResponseHead head_;
    BodyFraming framing_;
    http1::ChunkDecoder chunks_;
    BodyCheck check_;
    bool last_ = false;  ///< the connection ends after this response
    Child runner_;
};

void Http1Client::add_method(const std::string& name) {
    Frame frame{name + " ", " HTTP/1.1\r\nHost: " + plan_.origin.authority + "\r\n",
                plan_.has_body(name), method_from(name)};
    for (const auto& [field, value] : plan_.fields)
        frame.after += field + ": " + value + "\r\n";
    // Servers may insist on a length where a body has a meaning (RFC 9110 section 8.6).
    const bool meant = name == "POST" || name == "PUT" || name == "PATCH";
    if (frame.with_body || meant)
        frame.after += "Content-Length: " + std::to_string(plan_.body.size()) + "\r\n";
    frame.after += "\r\n";
    frames_.push_back(std::move(frame));
}

Task<void> Http1Client::run() {
    while (true) {
        LoadWorker::NextJob next = worker_.next_job();
        const std::optional<Job> job = co_await next;
        if (!job) break;
        Sample sample = begin_sample(*job);
        co_await exchange(*job, sample);
        sample.done = worker_.loop().now();
        worker_.finished(sample);
        if (backoff_.due_after(sample)) co_await backoff_.wait();
    }
    co_await drop();
    worker_.client_ended();
}

Task<void> Http1Client::exchange(const Job& job, Sample& sample) {
    if (connection_ && connection_->stale) co_await drop();
    if (!connection_) {
        const bool connected = co_await open(sample);
        if (!connected) co_return;
    }
    const Frame& frame = frames_[job.method];
    request_ = frame.before;
    append_target(request_, job);
    request_ += frame.after;
    const std::uint64_t before = connection_->received_total();
    const TimePoint until = sample.sent + plan_.timeout;
    connection_->expire_at(Way::read, until, ErrorKind::upstream_timeout);
    const Connection::Patience patience{no_limit, ErrorKind::upstream_timeout, until,
                                        ErrorKind::upstream_timeout};
    const std::string_view body = frame.with_body ? std::string_view(plan_.body) : "";
    // A peer that answers early and closes breaks the write; its answer counts all the same.
    const IoResult sent = co_await connection_->write(patience, request_, body);
    sample.bytes_out = sent.bytes;
    last_ = sent.error.failed();
    co_await respond(frame, sample);
    sample.bytes_in = connection_->received_total() - before;
    if (last_ || sample.failure.has_value()) {
        if (!sample.complete() || last_) co_await drop();
    }
    if (!connection_) co_return;
    connection_->expire_at(Way::read, never, ErrorKind::upstream_timeout);
    if (connection_->received().empty()) {
        connection_->arm();  // sees the peer's end
    } else {
        connection_->stale = true;
    }
}

Task<bool> Http1Client::open(Sample& sample) {
    std::unique_ptr<Stream> stream = dial_.open(worker_.loop(), session_);
    const auto* const tls = dynamic_cast<const TlsStream*>(stream.get());
    connection_ = std::make_unique<ClientConnection>(worker_.loop(), std::move(stream));
    const SocketAddress& address = dial_.addresses[next_address_++ % dial_.addresses.size()];
    sample.failure = co_await connect(*connection_, address, sample.sent + plan_.timeout);
    if (sample.failure)
        co_await drop();
    else if (tls != nullptr)
        sample.handshake = tls->resumed() ? Sample::Handshake::resumed : Sample::Handshake::full;
    co_return !sample.failure;
}

Task<void> Http1Client::drop() {
    if (!connection_) co_return;
    connection_->close();
    if (connection_->busy()) co_await connection_->more();
    connection_.reset();
}

Task<void> Http1Client::respond(const Frame& frame, Sample& sample) {
    do {
        const bool got = co_await read_head(frame.method, sample);
        if (!got) co_return;
    } while (sample.status < 200);
    check_.begin();
    const bool whole = co_await read_body(sample);
    if (!whole) co_return;
    const bool bodiless = frame.method == Method::head || framing_.kind == BodyFraming::Kind::none;
    sample.failure = check_.judge(sample.status, bodiless);
}

/// Whatever the head says is taken from it here; the buffer may move afterwards.
Task<bool> Http1Client::read_head(Method method, Sample& sample) {
    std::size_t scanned = 0;
    head_.clear();
    while (true) {
        const http1::ParseResult parsed = http1::parse_response_head(
            connection_->received(), head_limits, scanned, method, head_);
        if (parsed.status == http1::ParseResult::Status::complete) {
            note_head(head_, worker_, sample);
            framing_ = head_.body;
            last_ = last_ || framing_.kind == BodyFraming::Kind::until_close ||
                    http1::wants_close(head_.version, head_.fields);
            connection_->consume(parsed.consumed);
            co_return true;
        }
        if (parsed.status == http1::ParseResult::Status::failed) {
            sample.failure = Failure::malformed;
            co_return false;
        }
        const bool more = co_await connection_->more();
        if (!more) {
            const bool nothing = connection_->received().empty();
            sample.failure =
                lost_because(*connection_, nothing ? Failure::closed : Failure::truncated);
            co_return false;
        }
    }
}

Task<bool> Http1Client::read_body(Sample& sample) {
    if (framing_.kind == BodyFraming::Kind::none) co_return true;
    if (framing_.kind == BodyFraming::Kind::chunked) {
        const bool whole = co_await read_chunks();
        if (!whole)
            sample.failure = lost_because(
                *connection_, connection_->at_end() ? Failure::truncated : Failure::malformed);
        co_return whole;
    }
    const bool counted = framing_.kind == BodyFraming::Kind::length;
    std::uint64_t left = counted ? framing_.length : limits::unlimited;
    connection_->want_bulk(left > limits::buffer_small);
    while (true) {
        const std::string_view bytes = connection_->received();
        const std::size_t part = std::min<std::uint64_t>(bytes.size(), left);
        check_.add(bytes.substr(0, part));
        connection_->consume(part);
        left -= part;
        if (left == 0) co_return true;
        const bool more = co_await connection_->more();
        if (more) continue;
        if (!counted && connection_->at_end() && !connection_->broken()) co_return true;
        sample.failure = lost_because(*connection_, Failure::truncated);
        co_return false;
    }
}

Task<bool> Http1Client::read_chunks() {
    using Kind = http1::ChunkDecoder::Step::Kind;
    chunks_.reset();
    while (true) {
        const http1::ChunkDecoder::Step step = chunks_.next(connection_->received());
        if (step.kind == Kind::data) check_.add(step.data);
        connection_->consume(step.consumed);
        if (step.kind == Kind::done) co_return true;
        if (step.kind == Kind::failed) co_return false;
        if (step.kind == Kind::data) continue;
        const bool more = co_await connection_->more();
        if (!more) co_return false;
    }
}

}  // namespace

std::unique_ptr<LoadClient> make_http1_client(LoadWorker& worker, const Dial& dial,
                                              std::size_t number) {
    return std::make_unique<Http1Client>(worker, dial, number);
}

}  // namespace scrollgate::bench
