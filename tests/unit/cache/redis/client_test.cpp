// One server: pipelining, deadlines, tombstones, bounds, and every way in which it can be of no
// use.
#include "tests/unit/cache/redis/fake_redis.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;
using namespace scrollgate::test;

namespace {

std::uint64_t value(const Statistics::Counter& counter) {
    return counter.load();
}

/// Answers to GET are kept back; the rest is as usual.
void hold_gets(RedisLab& lab) {
    lab.answer = [&lab](FakeLink&, const Words& words) {
        return words[0] == "GET" ? std::string() : lab.usual(words);
    };
}

/// The server takes everything and says nothing any more.
void freeze(RedisLab& lab) {
    lab.answer = [](FakeLink&, const Words&) { return std::string(); };
}

}  // namespace

TEST_CASE("what is asked in one turn leaves in one write, and each gets its own answer") {
    RedisLab lab;
    Client& client = lab.start();
    CHECK(client.state() == State::up);
    lab.data = {{"a", "1"}, {"b", "2"}};
    const std::size_t writes = lab.links[0]->peer->writes();
    const auto a = lab.get("a");
    const auto none = lab.get("none");
    const auto b = lab.get("b");
    CHECK(client.tell(Command::write({"SET", "c", "3"})));
    CHECK_FALSE(a->there());
    lab.settle();
    CHECK(lab.links[0]->peer->writes() == writes + 1);
    CHECK(a->reply().text == "1");
    CHECK(none->reply().is_nil());
    CHECK(b->reply().text == "2");
    CHECK(lab.data["c"] == "3");
    CHECK(value(lab.counts.answered) == 3);
    CHECK(value(lab.counts.pending) == 0);
    CHECK(value(lab.counts.pending_bytes) == 0);
}

TEST_CASE("a deadline that passes leaves a tombstone: the late answer is nobody else's") {
    RedisLab lab;
    lab.start();
    hold_gets(lab);
    const auto late = lab.get("a");
    lab.settle();
    lab.pass(4ms);
    CHECK(late->error() == ErrorKind::upstream_timeout);
    CHECK(value(lab.counts.pending) == 1);
    const auto next = lab.get("b");
    lab.settle();
    lab.links[0]->peer->send("$1\r\nA\r\n$1\r\nB\r\n");
    lab.settle();
    CHECK(next->reply().text == "B");
    CHECK(value(lab.counts.pending) == 0);
    CHECK(value(lab.counts.late) == 1);
}

TEST_CASE("what is forgotten before a byte of it has left is not sent") {
    RedisLab lab;
    lab.start();
    lab.links[0]->peer->window(0);
    const auto first = lab.get("first");
    lab.settle();
    const auto second = lab.get("second");
    lab.pass(4ms);
    CHECK(second->error() == ErrorKind::upstream_timeout);
    lab.data["first"] = "1";
    const auto third = lab.get("third", 1s);
    lab.links[0]->peer->window(SIZE_MAX);
    lab.settle();
    CHECK(third->reply().is_nil());
    std::string keys;
    for (const Words& words : lab.links[0]->asked)
        if (words[0] == "GET") keys += words[1] + " ";
    CHECK(keys == "first third ");
}

TEST_CASE("answers that come in pieces, and long ones, are put together") {
    RedisLab lab;
    lab.start();
    hold_gets(lab);
    const std::string large(300'000, 'x');
    const auto a = lab.get("a", 1s);
    const auto b = lab.get("b", 1s);
    lab.settle();
    const std::string bytes = bulk(large) + bulk("end");
    for (std::size_t at = 0; at < bytes.size(); at += 7'001) {
        lab.links[0]->peer->send(bytes.substr(at, 7'001));
        lab.settle();
    }
    CHECK(a->reply().text == large);
    CHECK(b->reply().text == "end");
}

TEST_CASE("garbled, surplus and endless answers break the connection, and nothing else") {
    for (const std::string& bytes : {std::string("hello\r\n"), std::string("$3\r\nabcde\r\n"),
                                     std::string("*99999999\r\n"), std::string("+x\r\n+y\r\n")}) {
        RedisLab lab;
        Client& client = lab.start();
        lab.links[0]->peer->send(bytes);
        lab.settle();
        CHECK(client.state() == State::open);
        CHECK(lab.get("a")->error() == ErrorKind::connect_failed);
        lab.pass_in_steps(limits::redis_pause);
        CHECK(client.state() == State::up);
        const auto again = lab.get("a");
        lab.settle();
        CHECK(again->reply().is_nil());
    }
}

TEST_CASE("what is under way when the connection breaks fails at once") {
    RedisLab lab;
    Client& client = lab.start();
    hold_gets(lab);
    const auto a = lab.get("a", 1s);
    lab.settle();
    CHECK(client.tell(Command::write({"SET", "k", "v"})));
    lab.links[0]->peer->finish();
    lab.settle();
    CHECK(a->error() == ErrorKind::upstream_reset);
    CHECK(value(lab.counts.lost) >= 1);
    CHECK(value(lab.counts.pending_bytes) == 0);
}

TEST_CASE("a frozen server: after a few deadlines nobody waits any more, and it is found again") {
    RedisLab lab;
    Client& client = lab.start();
    freeze(lab);
    for (unsigned i = 0; i < limits::redis_missed; ++i) {
        CHECK(client.state() == State::up);
        const auto late = lab.get("a");
        lab.settle();
        lab.pass(4ms);
        CHECK(late->error() == ErrorKind::upstream_timeout);
    }
    CHECK(client.state() == State::open);
    CHECK(value(lab.counts.openings) == 1);
    CHECK(value(lab.counts.pending) == 0);
    const auto refused = lab.get("a");
    CHECK(refused->error() == ErrorKind::connect_failed);
    CHECK_FALSE(client.tell(Command::write({"SET", "k", "v"})));
    // Probes connect, and hear nothing: they get rarer.
    lab.pass_in_steps(20s);
    const std::size_t probes = lab.links.size();
    CHECK(probes > 4);
    CHECK(probes < 16);
    CHECK(client.state() == State::open);
    lab.answer = [&lab](FakeLink&, const Words& words) { return lab.usual(words); };
    lab.pass_in_steps(Duration(limits::redis_pause_max) + limits::redis_connect);
    CHECK(client.state() == State::up);
}

TEST_CASE("one command is enough: silence opens the breaker within its bound") {
    RedisLab lab;
    Client& client = lab.start();
    freeze(lab);
    const auto late = lab.get("a");
    lab.settle();
    lab.pass(4ms);
    CHECK(client.state() == State::up);
    lab.pass_in_steps(Duration(limits::redis_silence) + 20ms);
    CHECK(client.state() == State::open);
    CHECK(late->error() == ErrorKind::upstream_timeout);
}

TEST_CASE("deadlines that are shorter than usual say nothing about the server") {
    RedisLab lab;
    Client& client = lab.start();
    hold_gets(lab);
    for (unsigned i = 0; i < 2 * limits::redis_missed; ++i) {
        const auto late = lab.get("a", 1ms);
        lab.settle();
        lab.pass(2ms);
        CHECK(late->error() == ErrorKind::upstream_timeout);
    }
    CHECK(client.state() == State::up);
}

TEST_CASE("silence without anything asked is no silence, nor is a blocking command's") {
    RedisLab lab;
    Client& client = lab.start();
    lab.pass_in_steps(5s, 100ms);
    CHECK(client.state() == State::up);
    lab.answer = [](FakeLink&, const Words&) { return std::string(); };
    const auto blocked = lab.ask(Command::read({"XREAD", "BLOCK"}, 0).blocking(), 3s);
    lab.settle();
    lab.pass_in_steps(2900ms, 100ms);
    CHECK(client.state() == State::up);
    CHECK_FALSE(blocked->there());
    lab.links[0]->peer->send("*-1\r\n");
    lab.settle();
    CHECK(blocked->reply().is_nil());
    const auto dead = lab.ask(Command::read({"XREAD", "BLOCK"}, 0).blocking(), 3s);
    lab.settle();
    lab.pass_in_steps(3100ms, 100ms);
    CHECK(dead->error() == ErrorKind::upstream_timeout);
    CHECK(client.state() == State::open);
}

TEST_CASE("a server that is too slow for a command's deadline is not up") {
    RedisLab lab;
    lab.answer = [](FakeLink&, const Words&) { return std::string(); };
    Client& client = lab.start();
    for (int i = 0; i < 3; ++i) {
        CHECK(client.state() == State::connecting);
        lab.pass(5ms);
        lab.links[0]->peer->send("+PONG\r\n");
        lab.settle();
    }
    CHECK(client.state() == State::open);
}

TEST_CASE("the queue is bounded, in commands and bytes; what is told may take half") {
    RedisLab lab;
    lab.settings->queue_commands = 10;
    lab.settings->queue_bytes = 100'000;
    Client& client = lab.start();
    freeze(lab);
    int told = 0;
    while (client.tell(Command::write({"SET", "k", "v"})))
        ++told;
    CHECK(told == 5);
    std::vector<std::shared_ptr<RedisLab::Answer>> asked;
    for (int i = 0; i < 5; ++i)
        asked.push_back(lab.get("a"));
    CHECK(lab.get("a")->error() == ErrorKind::overloaded);
    CHECK(value(lab.counts.dropped) == 1);
    lab.links[0]->peer->reset();
    lab.settle();
    lab.answer = [&lab](FakeLink&, const Words& words) { return lab.usual(words); };
    lab.pass_in_steps(limits::redis_pause);
    REQUIRE(client.state() == State::up);
    const std::string large(60'000, 'x');
    CHECK_FALSE(client.tell(Command::write({"SET", "k", large})));
    const auto fits = lab.ask(Command::write({"SET", "k", large}), 1s);
    CHECK(lab.ask(Command::write({"SET", "k", large}), 1s)->error() == ErrorKind::overloaded);
    lab.settle();
    CHECK(fits->reply().is_status("OK"));
}

TEST_CASE(
    "out of memory: writes get the error at once, reads go on, one write now and then tries") {
    RedisLab lab;
    Client& client = lab.start();
    lab.data["a"] = "1";
    int sets = 0;
    bool full = true;
    lab.answer = [&](FakeLink&, const Words& words) {
        if (words[0] != "SET") return lab.usual(words);
        ++sets;
        return full ? std::string("-OOM command not allowed\r\n") : lab.usual(words);
    };
    const auto write = [&lab] {
        const auto answer = lab.ask(Command::write({"SET", "k", "v"}), 1s);
        lab.settle();
        return answer->reply().code() == "OOM";
    };
    CHECK(write());
    CHECK(write());
    CHECK_FALSE(client.tell(Command::write({"SET", "k", "v"})));
    CHECK(sets == 1);
    const auto read = lab.get("a");
    lab.settle();
    CHECK(read->reply().text == "1");
    lab.pass_in_steps(limits::redis_pause);
    CHECK(write());
    CHECK(write());
    CHECK(sets == 2);
    full = false;
    lab.pass_in_steps(Duration(limits::redis_pause) * 2);
    CHECK_FALSE(write());
    CHECK_FALSE(write());
    CHECK(sets == 4);
    CHECK(client.state() == State::up);
}

TEST_CASE("errors that say that a server is of no use open the breaker; others are answers") {
    for (const std::string& error : {std::string("-LOADING Redis is loading the dataset\r\n"),
                                     std::string("-NOAUTH Authentication required.\r\n"),
                                     std::string("-BUSY Redis is busy running a script\r\n")}) {
        RedisLab lab;
        Client& client = lab.start();
        lab.answer = [&](FakeLink&, const Words&) { return error; };
        const auto a = lab.get("a");
        lab.settle();
        CHECK(a->reply().is_error());
        CHECK(client.state() == State::open);
        lab.pass_in_steps(3s);
        CHECK(client.state() == State::open);
    }
    RedisLab lab;
    Client& client = lab.start();
    lab.answer = [](FakeLink&, const Words&) { return std::string("-WRONGTYPE no\r\n"); };
    const auto a = lab.get("a");
    lab.settle();
    CHECK(a->reply().code() == "WRONGTYPE");
    CHECK(client.state() == State::up);
    CHECK(value(lab.counts.errors) == 1);
}

TEST_CASE("the greeting: AUTH, SELECT, scripts, PING; and AUTH again when credentials change") {
    RedisLab lab;
    lab.credentials = {"edge", "secret"};
    lab.settings->database = 3;
    const Script script("return 1");
    lab.client = std::make_unique<Client>(lab.around, lab.settings, lab.credentials);
    lab.client->teach(script);
    lab.client->start();
    lab.settle();
    REQUIRE(lab.client->state() == State::up);
    const std::vector<Words> expected = {
        {"AUTH", "edge", "secret"}, {"SELECT", "3"}, {"SCRIPT", "LOAD", "return 1"}, {"PING"}};
    CHECK(lab.links[0]->asked == expected);
    lab.client->authenticate({"edge", "secret"});
    lab.settle();
    CHECK(lab.links[0]->asked == expected);
    lab.client->authenticate({"edge", "newer"});
    lab.settle();
    CHECK(lab.links[0]->asked.back() == Words{"AUTH", "edge", "newer"});
    lab.answer = [](FakeLink&, const Words& words) {
        return std::string(words[0] == "AUTH" ? "-WRONGPASS invalid\r\n" : "+OK\r\n");
    };
    lab.links[0]->peer->finish();
    lab.pass_in_steps(1s);
    CHECK(lab.links.size() > 1);
    CHECK(lab.links.back()->asked.front() == Words{"AUTH", "edge", "newer"});
    CHECK(lab.client->state() == State::open);
}

TEST_CASE("scripts go by name, and whole where the server does not know them") {
    RedisLab lab;
    Client& client = lab.start();
    bool knows = false;
    lab.answer = [&](FakeLink&, const Words& words) {
        if (words[0] == "EVALSHA" && !knows)
            return std::string("-NOSCRIPT No matching script.\r\n");
        if (words[0] == "EVAL") knows = true;
        if (words[0] == "SCRIPT") knows = true;
        return words[0].starts_with("EVAL") ? ":7\r\n" : lab.usual(words);
    };
    const Script script("return 7");
    const std::vector<std::string_view> keys = {"k"}, arguments = {"x", "y"};
    for (int i = 0; i < 2; ++i) {
        auto into = std::make_shared<RedisLab::Answer>();
        RedisLab::waits(client.eval(script, keys, arguments, lab.clock.now() + 1s), into);
        lab.settle();
        CHECK(into->reply().integer == 7);
    }
    const std::vector<Words>& asked = lab.links[0]->asked;
    REQUIRE(asked.size() == 4);
    CHECK(asked[2] == Words{"EVAL", "return 7", "1", "k", "x", "y"});
    CHECK(asked[3] == Words{"EVALSHA", script.sha1(), "1", "k", "x", "y"});
}

TEST_CASE("what is told by a script's name is not lost when the server has forgotten the script") {
    RedisLab lab;
    const Script script("return 7");
    lab.client = std::make_unique<Client>(lab.around, lab.settings, lab.credentials);
    lab.client->teach(script);
    lab.client->start();
    lab.settle();
    bool knows = false;
    int ran = 0;
    lab.answer = [&](FakeLink&, const Words& words) {
        if (words[0] == "SCRIPT") knows = true;
        if (words[0] != "EVALSHA") return lab.usual(words);
        if (!knows) return std::string("-NOSCRIPT No matching script.\r\n");
        ++ran;
        return std::string(":7\r\n");
    };
    const std::vector<std::string_view> keys = {"k"};
    CHECK(lab.client->tell(script_command(script, keys, {})));
    lab.settle();
    CHECK(ran == 1);
    CHECK(value(lab.counts.pending) == 0);
}

TEST_CASE("several questions are answered in their order, whatever fails") {
    RedisLab lab;
    Client& client = lab.start();
    lab.data = {{"a", "1"}, {"c", "3"}};
    std::vector<Command> commands;
    for (const char* key : {"a", "b", "c"})
        commands.push_back(Command::read({"GET", key}));
    std::vector<Result<Reply>> answers;
    const auto waits = [](Task<std::vector<Result<Reply>>> task,
                          std::vector<Result<Reply>>& into) -> detail::Detached {
        into = co_await task;
    };
    waits(client.ask_all(std::move(commands), lab.clock.now() + 3ms), answers);
    lab.settle();
    REQUIRE(answers.size() == 3);
    CHECK(answers[0]->text == "1");
    CHECK(answers[1]->is_nil());
    CHECK(answers[2]->text == "3");
}

TEST_CASE("who waits for a connection is told when it is there, or in time that it is not") {
    RedisLab lab;
    lab.on_accept = [](FakeLink& link) { link.peer->hold_connect(); };
    Client& client = lab.start();
    std::optional<bool> soon, late;
    const auto waits = [](Task<bool> task, std::optional<bool>& into) -> detail::Detached {
        into = co_await task;
    };
    waits(client.until_up(lab.clock.now() + 50ms), soon);
    waits(client.until_up(lab.clock.now() + 500ms), late);
    lab.pass(60ms);
    CHECK(soon == false);
    CHECK_FALSE(late);
    lab.links[0]->peer->let_connect();
    lab.settle();
    CHECK(late == true);
}

TEST_CASE("a client that goes fails what it was asked, and leaves nothing") {
    RedisLab lab;
    Client& client = lab.start();
    freeze(lab);
    const auto a = lab.get("a", 1s);
    lab.settle();
    CHECK(client.tell(Command::write({"SET", "k", "v"})));
    lab.client.reset();
    CHECK(a->there());
    lab.settle();
    CHECK(lab.faults.open == 0);
    CHECK(value(lab.counts.pending) == 0);
}

TEST_CASE("names are asked for with each connection; several addresses are tried in turn") {
    RedisLab lab;
    lab.settings->seeds = {{"cache.example", 6380}};
    lab.resolver.names["cache.example"] = "192.0.2.7";
    Client& client = lab.start();
    CHECK(client.state() == State::up);
    CHECK(lab.links[0]->peer->address().text() == "192.0.2.7:6380");
    lab.resolver.names["cache.example"] = "192.0.2.8";
    lab.links[0]->peer->finish();
    lab.pass_in_steps(200ms);
    CHECK(client.state() == State::up);
    CHECK(lab.links[1]->peer->address().text() == "192.0.2.8:6380");
    lab.resolver.names.clear();
    lab.links[1]->peer->finish();
    lab.pass_in_steps(200ms);
    CHECK(client.state() == State::open);
}
