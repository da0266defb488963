// redis-driver: the Redis client alone, for end-to-end tests against real servers.
//
//   redis-driver CONFIGURATION
//
// Takes `cache.redis` from a configuration file, and one command per line on standard input. Each
// answers with one line of JSON:
//
//   ask MS WORD…           a command and its answer; MS 0: within cache.redis.timeout
//   up MS                  whether it is connected by then
//   load KEYS N            N askers begin to set and get keys at random, and check what they get;
//                          no line
//   done                   they end: what they have seen
//   stats                  what the client counts
//   password TEXT          other credentials
//   look                   looks at password_file
//   listen CHANNEL…        a line for each message, and for each change
#include <iostream>
#include <sstream>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <fmt/format.h>

#include "cache/redis/client.hpp"
#include "cache/redis/loop_resolver.hpp"
#include "cache/redis/subscription.hpp"
#include "config/loader.hpp"
#include "core/log.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;

namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            out += fmt::format("\\u{:04x}", byte);
        } else {
            out += c;
        }
    }
    return out + '"';
}

void say(const std::string& line) {
    std::cout << line << std::endl;
}

std::string shown(const Reply& reply) {
    switch (reply.kind) {
        case Reply::Kind::nil:
            return R"({"kind": "nil"})";
        case Reply::Kind::integer:
            return fmt::format(R"({{"kind": "integer", "value": {}}})", reply.integer);
        case Reply::Kind::array: {
            std::string inside;
            for (const Reply& each : reply.elements)
                inside += (inside.empty() ? "" : ", ") + shown(each);
            return fmt::format(R"({{"kind": "array", "value": [{}]}})", inside);
        }
        case Reply::Kind::text:
            return fmt::format(R"({{"kind": "text", "value": {}}})", quoted(reply.text));
        case Reply::Kind::status:
            return fmt::format(R"({{"kind": "status", "value": {}}})", quoted(reply.text));
        default:
            return fmt::format(R"({{"kind": "error", "value": {}}})", quoted(reply.text));
    }
}

std::string shown(const Result<Reply>& result) {
    if (result) return shown(*result);
    return fmt::format(R"({{"kind": "failed", "value": "{}"}})", result.error().reason());
}

/// co_await pause.over();
class Pause final : private TimerWheel::Timer {
  public:
    Pause(EventLoop& loop, Duration span) : loop_(loop), span_(span) {}
    auto over() noexcept {
        struct Awaiter {
            Pause& self;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> h) const noexcept {
                self.waiting_ = h;
                self.loop_.arm(self, self.loop_.now() + self.span_);
            }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }

  private:
    void expired() noexcept override { waiting_.resume(); }
    EventLoop& loop_;
    Duration span_;
    std::coroutine_handle<> waiting_;
};

/// What a load has seen; told when its last asker is done.
struct Load {
    std::size_t askers = 0;
    bool ends = false;
    std::uint64_t gets = 0, found = 0, sets = 0, stored = 0, wrong = 0, errors = 0, failed = 0;
    Duration slowest{};
};

class Driver {
  public:
    Driver(EventLoop& loop, Resolver& resolver, const config::Redis& redis)
        : loop_(loop),
          around_{loop, dialer_, resolver, counts_, true},
          settings_(make_settings(redis)),
          source_(redis),
          client_(std::make_unique<Client>(around_, settings_, source_.present())) {
        client_->start();
    }
    void run(const std::string& line) {
        std::istringstream words(line);
        std::string verb;
        words >> verb;
        if (verb == "ask") {
            ask(words);
        } else if (verb == "up") {
            std::uint64_t ms = 0;
            words >> ms;
            up(std::chrono::milliseconds(ms));
        } else if (verb == "load") {
            load(words);
        } else if (verb == "done") {
            load_->ends = true;
        } else if (verb == "stats") {
            say(stats());
        } else if (verb == "password") {
            Credentials changed = source_.present();
            words >> changed.password;
            client_->authenticate(changed);
            say("{}");
        } else if (verb == "look") {
            const bool changed = source_.look();
            if (changed) client_->authenticate(source_.present());
            say(fmt::format(R"({{"changed": {}}})", changed));
        } else if (verb == "listen") {
            listen(words);
        } else {
            say(R"({"kind": "unknown"})");
        }
    }

  private:
    void ask(std::istringstream& words) {
        std::uint64_t ms = 0;
        words >> ms;
        std::vector<std::string> texts;
        for (std::string text; words >> text;)
            texts.push_back(text);
        const std::vector<std::string_view> views(texts.begin(), texts.end());
        const bool reads = texts[0] == "GET" || texts[0] == "PING" || texts[0] == "STRLEN";
        const bool blocks = texts[0] == "XREAD";
        const std::size_t key = blocks ? views.size() - 2 : views.size() > 1 ? 1 : 0;
        Command command(reads || blocks ? Command::Kind::read : Command::Kind::write, views, key);
        const TimePoint until =
            ms == 0 ? client_->deadline() : loop_.now() + std::chrono::milliseconds(ms);
        answer(blocks ? client_->ask(std::move(command).blocking(), until)
                      : client_->ask(std::move(command), until));
    }
    static detail::Detached answer(Task<Result<Reply>> task) {
        const Result<Reply> result = co_await task;
        say(shown(result));
    }
    void up(Duration within) { tell_up(client_->until_up(loop_.now() + within)); }
    static detail::Detached tell_up(Task<bool> task) {
        const bool there = co_await task;
        say(fmt::format(R"({{"up": {}}})", there));
    }

    void load(std::istringstream& words) {
        std::uint64_t keys = 0, askers = 0;
        words >> keys >> askers;
        load_ = std::make_shared<Load>();
        load_->askers = askers;
        for (std::uint64_t i = 0; i < askers; ++i)
            asker(load_, keys);
    }
    detail::Detached asker(std::shared_ptr<Load> seen, std::uint64_t keys) {
        while (!seen->ends) {
            const std::string key = fmt::format("key:{}", loop_.rng().below(keys));
            const bool gets = loop_.rng().below(2) == 0;
            const std::string content = key + ":" + std::string(loop_.rng().below(3000), 'v');
            Command command = gets ? Command::read({"GET", key})
                                   : Command::write({"SET", key, content, "PX", "60000"});
            const TimePoint begun = loop_.now();
            Task<Result<Reply>> question = client_->ask(std::move(command), client_->deadline());
            const Result<Reply> result = co_await question;
            seen->slowest = std::max(seen->slowest, loop_.now() - begun);
            note(*seen, gets, key, result);
            Pause pause(loop_, std::chrono::milliseconds(1));
            co_await pause.over();
        }
        if (--seen->askers == 0) tell(*seen);
    }
    static void note(Load& seen, bool gets, const std::string& key, const Result<Reply>& result) {
        ++(gets ? seen.gets : seen.sets);
        if (!result) {
            ++seen.failed;
        } else if (result->is_error()) {
            ++seen.errors;
        } else if (!gets) {
            ++seen.stored;
        } else if (result->is_text()) {
            const bool own =
                result->text.starts_with(key + ":") &&
                result->text.find_first_not_of('v', key.size() + 1) == std::string::npos;
            ++(own ? seen.found : seen.wrong);
        } else if (!result->is_nil()) {
            ++seen.wrong;
        }
    }
    static void tell(const Load& seen) {
        say(fmt::format(R"({{"gets": {}, "found": {}, "sets": {}, "stored": {}, "wrong": {}, )"
                        R"("errors": {}, "failed": {}, "slowest_ms": {:.3f}}})",
                        seen.gets, seen.found, seen.sets, seen.stored, seen.wrong, seen.errors,
                        seen.failed, seconds_of(seen.slowest) * 1000));
    }

    void listen(std::istringstream& words) {
        std::vector<std::string> channels;
        for (std::string channel; words >> channel;)
            channels.push_back(channel);
        Subscription::Events events;
        events.message = [](std::string_view channel, std::string_view text) {
            say(fmt::format(R"({{"channel": {}, "message": {}}})", quoted(channel), quoted(text)));
        };
        events.listening = [](bool on) { say(fmt::format(R"({{"listening": {}}})", on)); };
        subscription_ = std::make_unique<Subscription>(
            Surroundings{loop_, dialer_, around_.resolver, subscribed_counts_, true}, settings_,
            source_.present(), std::move(channels), std::move(events));
        subscription_->start();
    }

    [[nodiscard]] std::string stats() const {
        const auto all = [](auto& counter) { return counter.load(); };
        static constexpr const char* states[] = {"connecting", "up", "open"};
        const Statistics& c = counts_;
        return fmt::format(
            R"({{"state": "{}", "nodes": {}, "nodes_up": {}, "pending": {}, "pending_bytes": {}, )"
            R"("answered": {}, "errors": {}, "late": {}, "refused": {}, "dropped": {}, )"
            R"("lost": {}, "held": {}, "connects": {}, "openings": {}, "redirects": {}, )"
            R"("refreshes": {}}})",
            states[static_cast<int>(c.state.load())], all(c.nodes), all(c.nodes_up), all(c.pending),
            all(c.pending_bytes), all(c.answered), all(c.errors), all(c.late), all(c.refused),
            all(c.dropped), all(c.lost), all(c.writes_held), all(c.connects), all(c.openings),
            all(c.redirects), all(c.refreshes));
    }

    EventLoop& loop_;
    std::shared_ptr<Load> load_;  ///< under way, or the last one
    SocketDialer dialer_;
    Statistics counts_, subscribed_counts_;
    Surroundings around_;
    std::shared_ptr<const Settings> settings_;
    CredentialSource source_;
    std::unique_ptr<Client> client_;
    std::unique_ptr<Subscription> subscription_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const config::Loaded loaded = config::load_file(argv[1]);
    for (const config::Problem& problem : loaded.problems)
        std::cerr << config::to_text(problem, argv[1]) << '\n';
    if (!loaded.ok() || !loaded.config.cache.redis) return 2;
    EventLoop loop(system_clock(), random_seed(), loaded.config.frequency);
    boost::asio::io_context control;
    const auto stays = boost::asio::make_work_guard(control);
    CaresResolver names(control);
    std::thread resolving([&control] { control.run(); });
    {
        LoopResolver resolver(loop, control, names);
        auto driver = std::make_unique<Driver>(loop, resolver, *loaded.config.cache.redis);
        std::thread reading([&loop, &driver] {
            for (std::string line; std::getline(std::cin, line);)
                loop.post([&driver, line] { driver->run(line); });
            loop.stop();
        });
        loop.run();
        reading.join();
        driver.reset();
        while (loop.poll()) {
        }
    }
    control.stop();
    resolving.join();
    return 0;
}
