// Scripted Redis servers: what each connection is asked, and the answers that a test gives.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cache/redis/client.hpp"
#include "cache/redis/reply_reader.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::test {

using namespace std::chrono_literals;

/// Names that the test knows; literals are answered as they are.
class FakeResolver final : public Resolver {
  public:
    void resolve(const std::string& host, std::uint16_t port, Callback done) override {
        ++asked;
        if (const auto literal = SocketAddress::from_ip(host, port))
            return done({{*literal}, {}, {}});
        const auto found = names.find(host);
        if (found == names.end()) return done({{}, {}, "no such name"});
        done({{*SocketAddress::from_ip(found->second, port)}, {}, {}});
    }
    std::map<std::string, std::string> names;
    std::size_t asked = 0;
};

using Words = std::vector<std::string>;

/// One connection as its server sees it.
struct FakeLink {
    explicit FakeLink(std::shared_ptr<ScriptedPeer> of) : peer(std::move(of)) {}
    std::shared_ptr<ScriptedPeer> peer;
    redis::ReplyReader reader{limits::redis_reply};
    std::size_t seen = 0;
    std::vector<Words> asked;  ///< everything, in order
};

inline std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

/// A loop, a clock that is moved by hand, and servers that answer as `answer` says.
struct RedisLab {
    RedisLab() {
        dialer.on_connect = [this](ScriptedPeer& peer) { accept(peer); };
        settings->seeds = {{"192.0.2.1", 6379}};
        settings->cluster = redis::Settings::Cluster::off;
        settings->shown = "redis://test";
    }
    ~RedisLab() {
        client.reset();
        settle();
        CHECK(faults.complaints == std::vector<std::string>{});
        CHECK(faults.alive == 0);
    }

    void settle() { test::settle(loop); }
    void pass(Duration by) { test::pass(loop, clock, by); }
    /// In steps, as a loop would.
    void pass_in_steps(Duration by, Duration step = 10ms) {
        for (Duration done{}; done < by; done += step)
            pass(step);
    }
    redis::Client& start() {
        client = std::make_unique<redis::Client>(around, settings, credentials);
        client->start();
        settle();
        return *client;
    }
    /// The words behind the address of the server that is asked: the answer, or nothing yet.
    std::function<std::string(FakeLink&, const Words&)> answer = [this](FakeLink&, const Words& w) {
        return usual(w);
    };
    /// PING, GET, SET on `data` and what greetings need.
    std::string usual(const Words& words) {
        if (words[0] == "PING") return "+PONG\r\n";
        if (words[0] == "GET") {
            const auto found = data.find(words[1]);
            return found == data.end() ? "$-1\r\n" : bulk(found->second);
        }
        if (words[0] == "SET") data[words[1]] = words[2];
        return "+OK\r\n";
    }
    void accept(ScriptedPeer& peer) {
        auto link = std::make_shared<FakeLink>(peer.shared_from_this());
        links.push_back(link);
        if (on_accept) on_accept(*link);
        // `links` owns it: a peer that owned it, too, would own itself.
        peer.on_change([this, at = link.get()](ScriptedPeer&) { hear(*at); });
    }
    void hear(FakeLink& link) {
        if (link.peer->closed()) return;
        const std::string& all = link.peer->written();
        link.reader.feed(std::string_view(all).substr(link.seen));
        link.seen = all.size();
        redis::Reply command;
        std::string answers;
        while (link.reader.next(command) == redis::ReplyReader::Next::reply) {
            Words words;
            for (const redis::Reply& word : command.elements)
                words.push_back(word.text);
            link.asked.push_back(words);
            answers += answer(link, words);
        }
        if (!answers.empty()) link.peer->send(answers);
    }

    struct Answer {
        std::optional<Result<redis::Reply>> result;
        [[nodiscard]] bool there() const { return result.has_value(); }
        [[nodiscard]] const redis::Reply& reply() const {
            REQUIRE(result.has_value());
            REQUIRE(result->has_value());
            return **result;
        }
        [[nodiscard]] ErrorKind error() const {
            REQUIRE(result.has_value());
            REQUIRE_FALSE(result->has_value());
            return result->error().kind;
        }
    };
    /// Asked now; the answer comes as the loop goes on.
    std::shared_ptr<Answer> ask(redis::Command command, Duration within = 3ms) {
        auto into = std::make_shared<Answer>();
        waits(client->ask(std::move(command), clock.now() + within), into);
        return into;
    }
    std::shared_ptr<Answer> get(std::string_view key, Duration within = 3ms) {
        return ask(redis::Command::read({"GET", key}), within);
    }
    static detail::Detached waits(Task<Result<redis::Reply>> task, std::shared_ptr<Answer> into) {
        Result<redis::Reply> result = co_await task;
        into->result.emplace(std::move(result));
    }

    FarClock far;
    ManualClock& clock = far.clock;
    Faults faults;
    EventLoop loop{clock, 1, 1'000};
    ScriptedDialer dialer{faults};
    FakeResolver resolver;
    redis::Statistics counts;
    redis::Surroundings around{loop, dialer, resolver, counts, false};
    std::shared_ptr<redis::Settings> settings = std::make_shared<redis::Settings>();
    redis::Credentials credentials;
    std::map<std::string, std::string> data;
    std::vector<std::shared_ptr<FakeLink>> links;
    std::function<void(FakeLink&)> on_accept;
    std::unique_ptr<redis::Client> client;
};

}  // namespace scrollgate::test
