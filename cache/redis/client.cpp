#include "cache/redis/client.hpp"

#include "cache/redis/client_impl.hpp"
#include "core/limits.hpp"

namespace scrollgate::redis {

/// One that waits for an answer, which may come before it does.
class Client::Impl::Asking final : public Asker {
  public:
    Asking() = default;
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking() {
        if (flight_ != nullptr) flight_->waits = nullptr;
    }

    void waits_for(Flight& flight) noexcept {
        flight_ = &flight;
        flight.waits = this;
    }
    auto answer() noexcept {
        struct Awaiter {
            Asking& self;
            bool await_ready() const noexcept { return self.result_.has_value(); }
            void await_suspend(std::coroutine_handle<> h) const noexcept { self.waiting_ = h; }
            Result<Reply> await_resume() const noexcept { return *std::move(self.result_); }
        };
        return Awaiter{*this};
    }

  private:
    void answered(Result<Reply> result) noexcept override {
        flight_ = nullptr;
        result_.emplace(std::move(result));
        if (waiting_) waiting_.resume();
    }

    Flight* flight_ = nullptr;
    std::optional<Result<Reply>> result_;
    std::coroutine_handle<> waiting_;
};

/// One that waits for a connection.
class Client::Impl::UpWait final : private TimerWheel::Timer {
  public:
    UpWait(Impl& self, TimePoint until) : self_(self), until_(until) {}

    bool await_ready() const noexcept { return self_.closed_ || self_.state() == State::up; }
    void await_suspend(std::coroutine_handle<> waiting) {
        waiting_ = waiting;
        place_ = self_.waiting_.insert(self_.waiting_.end(), this);
        if (until_ != never) self_.around_.loop.arm(*this, until_);
    }
    void await_resume() const noexcept {}
    /// Soon, and out of the list.
    void resume() {
        disarm();
        self_.waiting_.erase(place_);
        self_.around_.loop.resume_later(waiting_);
    }

  private:
    void expired() noexcept override { resume(); }

    Impl& self_;
    TimePoint until_;
    std::coroutine_handle<> waiting_;
    std::list<UpWait*>::iterator place_;
};

// ---- commands

Client::Impl::Impl(const Surroundings& around, std::shared_ptr<const Settings> settings,
                   Credentials credentials)
    : around_(around),
      settings_(std::move(settings)),
      credentials_(std::move(credentials)),
      load_(around_.statistics) {
    if (!settings_->sentinel_master.empty())
        finder_.emplace(around_, settings_, load_, credentials_);
}

Task<Result<Reply>> Client::Impl::wait(std::unique_ptr<Asking> asking) {
    Result<Reply> result = co_await asking->answer();
    co_return result;
}

Task<Result<Reply>> Client::Impl::ask(Command command, TimePoint until) {
    using Answer = Task<Result<Reply>>;
    Statistics& counts = around_.statistics;
    const auto refuse = [&counts](ErrorKind kind, const char* why) {
        Statistics::add(counts.refused, 1);
        return Answer::ready(Result<Reply>(Error{.kind = kind, .detail = why}));
    };
    const std::size_t size = command.wire().size();
    if (closed_) return refuse(ErrorKind::cancelled, "redis: closed");
    if (size == 0 || load_.commands >= settings_->queue_commands ||
        load_.bytes + size > settings_->queue_bytes)
        return refuse(ErrorKind::overloaded, "redis: the queue is full");
    Node* const node = pick(command);
    if (node == nullptr) return refuse(ErrorKind::connect_failed, "redis: not connected");
    if (const Reply* held =
            command.kind() == Command::Kind::write ? node->holds_writes() : nullptr) {
        Statistics::add(counts.writes_held, 1);
        return Answer::ready(Result<Reply>(*held));
    }
    Statistics::add(counts.asked, 1);
    auto asking = std::make_unique<Asking>();
    auto flight = std::make_unique<Flight>(std::move(command), Flight::Purpose::question, load_);
    flight->until = until;
    asking->waits_for(*flight);
    node->submit(std::move(flight));
    return wait(std::move(asking));
}

/// Sends the script whole where `by_name` says that it is not known.
Task<Result<Reply>> Client::Impl::run(std::shared_ptr<Impl> self, Task<Result<Reply>> by_name,
                                      const Script& script, std::span<const std::string_view> keys,
                                      std::span<const std::string_view> arguments,
                                      TimePoint until) {
    Result<Reply> answer = co_await by_name;
    if (!answer || answer->code() != "NOSCRIPT") co_return answer;
    Command whole = script_command(script, keys, arguments, true);
    Task<Result<Reply>> again = self->ask(std::move(whole), until);
    Result<Reply> second = co_await again;
    co_return second;
}

bool Client::Impl::tell(Command command) noexcept {
    Statistics& counts = around_.statistics;
    const std::size_t size = command.wire().size();
    const bool room = size != 0 && load_.commands < settings_->queue_commands / 2 &&
                      load_.bytes + size <= settings_->queue_bytes / 2;
    Node* const node = room && !closed_ ? pick(command) : nullptr;
    if (node == nullptr) {
        Statistics::add(counts.dropped, 1);
        return false;
    }
    if (command.kind() == Command::Kind::write && node->holds_writes() != nullptr) {
        Statistics::add(counts.writes_held, 1);
        return false;
    }
    Statistics::add(counts.told, 1);
    node->submit(std::make_unique<Flight>(std::move(command), Flight::Purpose::told, load_));
    return true;
}

void Client::Impl::answered(Node& node, FlightPtr flight, Reply reply) {
    if (flight->step == slots_again) {
        learned(node, reply);
        return;
    }
    if (reply.is_error()) {
        if (redirect(node, flight, reply)) return;
        Statistics::add(around_.statistics.errors, 1);
        const bool may_repeat =
            flight->purpose == Flight::Purpose::told && flight->redirects == 0 && node.up();
        if (reply.code() == "NOSCRIPT" && may_repeat) {
            node.teach();
            ++flight->redirects;
            node.submit(std::move(flight));
            return;
        }
    }
    flight->answer(std::move(reply));
}

// ---- the state of it all

void Client::Impl::count_state() {
    std::uint64_t known = 0, up = 0;
    bool open = false;
    for (const std::shared_ptr<Node>& node : nodes_) {
        if (!node) continue;
        ++known;
        if (node->up()) ++up;
        open = open || node->seen() == State::open;
    }
    Statistics& counts = around_.statistics;
    counts.nodes.store(known, std::memory_order_relaxed);
    counts.nodes_up.store(up, std::memory_order_relaxed);
    const State now = up > 0 ? State::up : open ? State::open : State::connecting;
    counts.state.store(now, std::memory_order_relaxed);
    if (now != State::up) return;
    while (!waiting_.empty())
        waiting_.front()->resume();
}

Task<bool> Client::Impl::until_up(TimePoint until) {
    const std::shared_ptr<Impl> self = shared_from_this();
    UpWait wait_for(*this, until);
    co_await wait_for;
    co_return !closed_ && state() == State::up;
}

void Client::Impl::authenticate(Credentials credentials) {
    if (credentials == credentials_) return;
    credentials_ = std::move(credentials);
    for (const std::shared_ptr<Node>& node : nodes_)
        if (node) node->authenticate();
}

void Client::Impl::close() noexcept {
    closed_ = true;
    disarm();
    if (finder_) finder_->close();
    for (const std::shared_ptr<Node>& node : nodes_)
        if (node) node->close();
    while (!waiting_.empty())
        waiting_.front()->resume();
}

// ---- the outside

Client::Client(const Surroundings& around, std::shared_ptr<const Settings> settings,
               Credentials credentials)
    : impl_(std::make_shared<Impl>(around, std::move(settings), std::move(credentials))) {}

Client::~Client() {
    impl_->close();
}

void Client::start() {
    impl_->start();
}

Task<Result<Reply>> Client::ask(Command command, TimePoint until) {
    return impl_->ask(std::move(command), until);
}

bool Client::tell(Command command) noexcept {
    return impl_->tell(std::move(command));
}

namespace {

Task<std::vector<Result<Reply>>> gather(std::vector<Task<Result<Reply>>> questions) {
    std::vector<Result<Reply>> answers;
    answers.reserve(questions.size());
    for (Task<Result<Reply>>& question : questions) {
        Result<Reply> answer = co_await question;
        answers.push_back(std::move(answer));
    }
    co_return answers;
}

}  // namespace

Task<std::vector<Result<Reply>>> Client::ask_all(std::vector<Command> commands, TimePoint until) {
    std::vector<Task<Result<Reply>>> questions;
    questions.reserve(commands.size());
    for (Command& command : commands)
        questions.push_back(impl_->ask(std::move(command), until));
    return gather(std::move(questions));
}

Task<Result<Reply>> Client::eval(const Script& script, std::span<const std::string_view> keys,
                                 std::span<const std::string_view> arguments, TimePoint until) {
    return Impl::run(impl_, impl_->ask(script_command(script, keys, arguments), until), script,
                     keys, arguments, until);
}

void Client::teach(const Script& script) {
    impl_->teach(script);
}

State Client::state() const noexcept {
    return impl_->state();
}

Task<bool> Client::until_up(TimePoint until) {
    return impl_->until_up(until);
}

TimePoint Client::deadline() const noexcept {
    return impl_->deadline();
}

void Client::authenticate(Credentials credentials) {
    impl_->authenticate(std::move(credentials));
}

}  // namespace scrollgate::redis
