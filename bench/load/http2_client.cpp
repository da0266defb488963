#include "bench/load/http2_client.hpp"

#include <algorithm>

#include "bench/load/body_check.hpp"
#include "bench/load/http2_connection.hpp"

namespace scrollgate::bench {
namespace {

/// How often a request that each time meets a GOAWAY is sent.
constexpr unsigned most_sendings = 16;

class Http2Client;

/// One of a client's coroutines, with the stream that it has under way.
class Runner final : public http2::ClientStream, private TimerWheel::Timer {
  public:
    Runner(Http2Client& client, unsigned index);

    void start() { running_.start(run()); }
    [[nodiscard]] unsigned index() const noexcept { return index_; }
    /// The connection that was waited for can be used.
    void connection_settled() { resume(Step::again); }
    /// … or has failed.
    void connection_failed(Failure why) { finish(why); }
    /// That its request is on, or is to be.
    [[nodiscard]] const Http2Connection* connection() const noexcept { return connection_; }

  private:
    enum class Step : std::uint8_t {
        waiting,  ///< for the connection, or for the response
        again,    ///< to be sent, for the first time or once more
        done,     ///< see failure_
    };
    /// co_await of what is under way: until step_ has changed.
    struct Change {
        Runner& self;
        bool await_ready() const noexcept { return self.step_ != Step::waiting; }
        void await_suspend(std::coroutine_handle<> h) const noexcept { self.waiting_ = h; }
        void await_resume() const noexcept {}
    };

    Task<void> run();
    Task<void> exchange(const Job& job);
    void submit(std::uint8_t method);
    void resume(Step step);
    void finish(std::optional<Failure> failure);

    void head_came(const ResponseHead& head) noexcept override;
    void body_came(std::string_view bytes) noexcept override { check_.add(bytes); }
    void response_ended(const HeaderList* trailers) noexcept override;
    void failed(const Error& error) noexcept override;
    http2::BodyPart fill_body(std::span<char> into) noexcept override;
    void expired() noexcept override;

    Http2Client& client_;
    LoadWorker& worker_;
    const unsigned index_;
    Backoff backoff_;
    BodyCheck check_;
    std::string target_;
    Http2Connection* connection_ = nullptr;
    std::uint64_t heard_ = 0;  ///< bytes received on it when the request was sent
    std::size_t body_sent_ = 0;
    bool bodiless_ = false;
    Sample sample_;
    TimePoint deadline_{};  ///< grows, so that an armed timer rings in time and looks again
    std::optional<Failure> failure_;
    Step step_ = Step::waiting;
    std::coroutine_handle<> waiting_;
    Child running_;
};

class Http2Client final : public LoadClient, public Http2Connection::Owner {
  public:
    Http2Client(LoadWorker& worker, const Dial& dial, std::size_t number);

    void start() override {
        for (const std::unique_ptr<Runner>& runner : runners_)
            runner->start();
    }
    void abort() noexcept override {
        for (const std::unique_ptr<Http2Connection>& connection : connections_)
            connection->close();
    }

    // -- for runners
    [[nodiscard]] LoadWorker& worker() noexcept { return worker_; }
    /// The head of a request with the plan's `method`, but for its target.
    [[nodiscard]] RequestHead& head(std::uint8_t method) noexcept { return heads_[method]; }
    /// The connection for the next request; if it must be made, it has until `until`.
    [[nodiscard]] Http2Connection& connection(TimePoint until);
    /// `runner` is told when connection() has settled or failed.
    void await_connection(Runner& runner) { awaiting_.push_back(&runner); }
    void forget(Runner& runner) noexcept { std::erase(awaiting_, &runner); }
    /// co_await client.turn(runner): until there is a stream for it, or nothing more to do.
    auto turn(const Runner& runner) noexcept {
        struct Awaiter {
            Http2Client& self;
            const unsigned index;
            bool await_ready() const noexcept { return self.may_run(index); }
            void await_suspend(std::coroutine_handle<> h) const {
                self.parked_.push_back({index, h});
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this, runner.index()};
    }
    /// A runner has nothing more to do; the last one ends the client.
    [[nodiscard]] Task<void> leave();

  private:
    struct Parked {
        unsigned index;
        std::coroutine_handle<> waiting;
    };

    void settled(Http2Connection& connection) noexcept override;
    void ended(Http2Connection& connection, Failure why) noexcept override;
    [[nodiscard]] Runner* take_awaiting(const Http2Connection& connection) noexcept;
    [[nodiscard]] bool may_run(unsigned runner) const noexcept {
        return runner < allowed_ || leaving_;
    }
    void unpark();

    LoadWorker& worker_;
    const Dial& dial_;
    std::size_t next_address_;
    std::vector<RequestHead> heads_;  ///< by method
    /// The newest at the back; the others carry on what they have.
    std::vector<std::unique_ptr<Http2Connection>> connections_;
    std::vector<std::unique_ptr<Runner>> runners_;
    std::vector<Runner*> awaiting_;
    std::vector<Parked> parked_;
    unsigned allowed_ = 1;  ///< runners that take jobs: one, until a peer has said how many
    unsigned staying_;      ///< runners that have not left
    bool leaving_ = false;  ///< one has left: there is nothing more to do
};

// ---- a runner

Runner::Runner(Http2Client& client, unsigned index)
    : client_(client),
      worker_(client.worker()),
      index_(index),
      backoff_(worker_),
      check_(worker_.plan().expect) {}

Task<void> Runner::run() {
    while (true) {
        co_await client_.turn(*this);
        LoadWorker::NextJob next = worker_.next_job();
        const std::optional<Job> job = co_await next;
        if (!job) break;
        sample_ = begin_sample(*job);
        deadline_ = sample_.sent + worker_.plan().timeout;
        if (!armed()) worker_.loop().arm(*this, deadline_);
        co_await exchange(*job);
        sample_.failure = failure_;
        sample_.done = worker_.loop().now();
        worker_.finished(sample_);
        if (backoff_.due_after(sample_)) co_await backoff_.wait();
    }
    co_await client_.leave();
    worker_.client_ended();
}

Task<void> Runner::exchange(const Job& job) {
    target_.clear();
    append_target(target_, job);
    for (unsigned sendings = 0; sendings < most_sendings; ++sendings) {
        step_ = Step::waiting;
        connection_ = &client_.connection(deadline_);
        if (!connection_->settled()) {
            client_.await_connection(*this);
            co_await Change{*this};
            if (step_ == Step::done) co_return;
            step_ = Step::waiting;
        }
        submit(job.method);
        co_await Change{*this};
        if (step_ == Step::done) co_return;
    }
    failure_ = Failure::closed;
}

void Runner::submit(std::uint8_t method) {
    RequestHead& head = client_.head(method);
    head.target = target_;
    body_sent_ = 0;
    heard_ = connection_->link().received_total();
    if (!connection_->submit(*this, head)) return resume(Step::again);
    connection_->link().wake();
}

void Runner::resume(Step step) {
    step_ = step;
    if (waiting_) std::exchange(waiting_, {}).resume();
}

void Runner::finish(std::optional<Failure> failure) {
    failure_ = failure;
    resume(Step::done);
}

void Runner::head_came(const ResponseHead& head) noexcept {
    note_head(head, worker_, sample_);
    bodiless_ = head.body.kind == BodyFraming::Kind::none;
    check_.begin();
}

void Runner::response_ended(const HeaderList*) noexcept {
    connection_->stream_ended(sample_);
    finish(check_.judge(sample_.status, bodiless_));
}

void Runner::failed(const Error& error) noexcept {
    connection_->stream_ended(sample_);
    if (error.kind == ErrorKind::upstream_malformed) return finish(Failure::malformed);
    if (error.retry_safe && connection_->going_away() && !worker_.stopping())
        return resume(Step::again);
    const bool no_head = sample_.status == 0;
    if (error.cause)
        finish(lost_because(connection_->link(), no_head ? Failure::closed : Failure::truncated));
    else
        finish(Failure::reset);
}

http2::BodyPart Runner::fill_body(std::span<char> into) noexcept {
    const std::string& body = worker_.plan().body;
    const std::size_t part = body.copy(into.data(), into.size(), body_sent_);
    body_sent_ += part;
    return {part, body_sent_ == body.size()};
}

// A connection that was silent for as long as a request may take is given up, as HTTP/1.1 gives up
// every one: others on it have their own time, but nothing new goes there.
void Runner::expired() noexcept {
    if (step_ != Step::waiting) return;
    if (worker_.loop().now() < deadline_) return worker_.loop().arm(*this, deadline_);
    if (!open()) {
        client_.forget(*this);
        return finish(connection_->connected() ? Failure::timeout : Failure::connect_timeout);
    }
    if (connection_->link().received_total() == heard_) connection_->retire();
    connection_->reset(*this);
    connection_->link().wake();
    connection_->stream_ended(sample_);
    finish(Failure::timeout);
}

// ---- the client

Http2Client::Http2Client(LoadWorker& worker, const Dial& dial, std::size_t number)
    : worker_(worker), dial_(dial), next_address_(number), staying_(worker.plan().streams) {
    const Plan& plan = worker.plan();
    for (const Plan::MethodShare& method : plan.methods) {
        RequestHead head;
        head.method = method_from(method.name);
        head.method_text = method.name;
        head.scheme = plan.origin.tls ? "https" : "http";
        head.authority = plan.origin.authority;
        for (const auto& [name, value] : plan.fields)
            head.fields.add(name, value);
        if (plan.has_body(method.name)) head.body = {BodyFraming::Kind::length, plan.body.size()};
        heads_.push_back(std::move(head));
    }
    for (unsigned i = 0; i < plan.streams; ++i)
        runners_.push_back(std::make_unique<Runner>(*this, i));
}

Http2Connection& Http2Client::connection(TimePoint until) {
    if (!connections_.empty() && connections_.back()->welcomes()) return *connections_.back();
    std::erase_if(connections_, [](const auto& connection) { return !connection->running(); });
    const SocketAddress& address = dial_.addresses[next_address_++ % dial_.addresses.size()];
    connections_.push_back(std::make_unique<Http2Connection>(worker_, dial_, address, *this));
    connections_.back()->start(until);
    return *connections_.back();
}

void Http2Client::settled(Http2Connection& connection) noexcept {
    allowed_ = std::clamp<unsigned>(connection.peer_streams(), 1, worker_.plan().streams);
    unpark();
    while (Runner* const runner = take_awaiting(connection))
        runner->connection_settled();
}

void Http2Client::ended(Http2Connection& connection, Failure why) noexcept {
    while (Runner* const runner = take_awaiting(connection))
        runner->connection_failed(why);
}

Runner* Http2Client::take_awaiting(const Http2Connection& connection) noexcept {
    const auto first = std::ranges::find(awaiting_, &connection, &Runner::connection);
    if (first == awaiting_.end()) return nullptr;
    Runner* const runner = *first;
    awaiting_.erase(first);
    return runner;
}

void Http2Client::unpark() {
    std::erase_if(parked_, [this](const Parked& parked) {
        if (!may_run(parked.index)) return false;
        worker_.loop().resume_later(parked.waiting);
        return true;
    });
}

Task<void> Http2Client::leave() {
    leaving_ = true;
    unpark();
    if (--staying_ > 0) co_return;
    for (const std::unique_ptr<Http2Connection>& connection : connections_) {
        connection->close();
        co_await connection->join();
    }
}

}  // namespace

std::unique_ptr<LoadClient> make_http2_client(LoadWorker& worker, const Dial& dial,
                                              std::size_t number) {
    return std::make_unique<Http2Client>(worker, dial, number);
}

}  // namespace scrollgate::bench
