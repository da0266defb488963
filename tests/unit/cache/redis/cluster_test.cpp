// Sets of servers: slots and redirections, nodes that come and go, sentinels, subscriptions.
#include "cache/redis/slot.hpp"
#include "cache/redis/subscription.hpp"
#include "tests/unit/cache/redis/fake_redis.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;
using namespace scrollgate::test;

namespace {

/// Three masters, 192.0.2.1 to 3 at 7001, with a third of the slots each; "foo" is the third's,
/// "bar" the first's, "hello" the first's.
struct ClusterLab : RedisLab {
    ClusterLab() {
        settings->cluster = Settings::Cluster::detect;
        settings->seeds = {{"192.0.2.1", 7001}};
        answer = [this](FakeLink& link, const Words& words) { return clustered(link, words); };
    }
    static std::string range(int first, int last, const std::string& host) {
        return "*3\r\n:" + std::to_string(first) + "\r\n:" + std::to_string(last) + "\r\n*3\r\n" +
               bulk(host) + ":7001\r\n$2\r\nid\r\n";
    }
    std::string clustered(FakeLink& link, const Words& words) {
        if (words[0] == "CLUSTER") return table;
        if (words[0] == "GET") {
            ++gets[link.peer->address().ip()];
            if (special) return special(link, words);
            return bulk(link.peer->address().ip());
        }
        return usual(words);
    }
    std::string where(std::string_view key) {
        const auto asked = get(key, 1s);
        settle();
        REQUIRE(asked->there());
        return *asked->result ? asked->reply().text : "failed";
    }
    std::string table = "*3\r\n" + range(0, 5460, "192.0.2.1") + range(5461, 10922, "192.0.2.2") +
                        range(10923, 16383, "192.0.2.3");
    std::function<std::string(FakeLink&, const Words&)> special;
    std::map<std::string, int> gets;
};

std::string moved(const std::string& key, const std::string& host, const char* code = "MOVED") {
    return "-" + std::string(code) + " " + std::to_string(slot_of(key)) + " " + host + ":7001\r\n";
}

}  // namespace

TEST_CASE("a cluster is found by itself, and each key goes to its node") {
    ClusterLab lab;
    Client& client = lab.start();
    CHECK(client.state() == State::up);
    CHECK(lab.counts.nodes_up.load() == 3);
    CHECK(lab.where("foo") == "192.0.2.3");
    CHECK(lab.where("bar") == "192.0.2.1");
    CHECK(lab.where("{foo}x") == "192.0.2.3");
    CHECK(lab.where("b") == "192.0.2.1");
    CHECK(slot_of("b") == 3300);
}

TEST_CASE("a server without cluster support is a server") {
    ClusterLab lab;
    lab.table = "-ERR This instance has cluster support disabled\r\n";
    Client& client = lab.start();
    CHECK(client.state() == State::up);
    CHECK(lab.where("foo") == "192.0.2.1");
    lab.settings->cluster = Settings::Cluster::on;
    lab.client.reset();
    CHECK(lab.start().state() == State::open);
}

TEST_CASE("MOVED is followed and remembered; the slots are asked for again") {
    ClusterLab lab;
    lab.start();
    const std::uint64_t before = lab.counts.refreshes.load();
    lab.special = [](FakeLink& link, const Words& words) {
        const std::string host = link.peer->address().ip();
        return host == "192.0.2.2" ? bulk(host) : moved(words[1], "192.0.2.2");
    };
    CHECK(lab.where("foo") == "192.0.2.2");
    CHECK(lab.where("foo") == "192.0.2.2");
    CHECK(lab.gets["192.0.2.3"] == 1);
    lab.table = "*1\r\n" + ClusterLab::range(0, 16383, "192.0.2.2");
    lab.pass_in_steps(limits::redis_refresh_least);
    CHECK(lab.counts.refreshes.load() == before + 1);
    CHECK(lab.counts.nodes.load() == 1);
    CHECK(lab.where("bar") == "192.0.2.2");
}

TEST_CASE("ASK is followed once, behind ASKING, and not remembered") {
    ClusterLab lab;
    lab.start();
    lab.special = [](FakeLink& link, const Words& words) {
        const std::string host = link.peer->address().ip();
        if (host == "192.0.2.3") return moved(words[1], "192.0.2.1", "ASK");
        const std::size_t count = link.asked.size();
        const bool asking = count >= 2 && link.asked[count - 2] == Words{"ASKING"};
        return asking ? bulk(host) : moved(words[1], "192.0.2.3");
    };
    CHECK(lab.where("foo") == "192.0.2.1");
    CHECK(lab.where("foo") == "192.0.2.1");
    CHECK(lab.gets["192.0.2.3"] == 2);
}

TEST_CASE("redirections in a ring end; one to an unknown node connects there") {
    ClusterLab lab;
    lab.start();
    lab.special = [](FakeLink& link, const Words& words) {
        return moved(words[1],
                     link.peer->address().ip() == "192.0.2.1" ? "192.0.2.2" : "192.0.2.1");
    };
    CHECK(lab.where("foo") == "failed");
    lab.special = [](FakeLink& link, const Words& words) {
        const std::string host = link.peer->address().ip();
        return host == "192.0.2.9" ? bulk(host) : moved(words[1], "192.0.2.9");
    };
    CHECK(lab.where("bar") == "failed");
    CHECK(lab.where("bar") == "192.0.2.9");
}

TEST_CASE("a deadline goes along with a redirection") {
    ClusterLab lab;
    lab.start();
    lab.special = [](FakeLink& link, const Words& words) {
        return link.peer->address().ip() == "192.0.2.2" ? std::string()
                                                        : moved(words[1], "192.0.2.2");
    };
    const auto asked = lab.get("foo");
    lab.settle();
    lab.pass(4ms);
    CHECK(asked->error() == ErrorKind::upstream_timeout);
}

TEST_CASE("a node that is lost costs its own slots only, until they are another one's") {
    ClusterLab lab;
    Client& client = lab.start();
    bool dead = true;
    lab.on_accept = [&](FakeLink& link) {
        if (dead && link.peer->address().ip() == "192.0.2.3")
            link.peer->connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    for (const auto& link : lab.links)
        if (link->peer->address().ip() == "192.0.2.3") link->peer->reset();
    lab.pass_in_steps(100ms);
    CHECK(client.state() == State::up);
    CHECK(lab.where("foo") == "failed");
    CHECK(lab.where("bar") == "192.0.2.1");
    lab.table = "*2\r\n" + ClusterLab::range(0, 5460, "192.0.2.1") +
                ClusterLab::range(5461, 16383, "192.0.2.2");
    lab.pass_in_steps(2s);
    CHECK(lab.where("foo") == "192.0.2.2");
    CHECK(lab.counts.nodes.load() == 2);
}

TEST_CASE("when all nodes are gone the seeds are asked again, one after the other") {
    ClusterLab lab;
    lab.settings->seeds = {{"192.0.2.1", 7001}, {"seed.example", 7001}};
    Client& client = lab.start();
    CHECK(client.state() == State::up);
    lab.resolver.names["seed.example"] = "192.0.2.9";
    lab.table = "*1\r\n" + ClusterLab::range(0, 16383, "192.0.2.9");
    lab.on_accept = [](FakeLink& link) {
        if (link.peer->address().ip() != "192.0.2.9")
            link.peer->connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    for (const auto& link : lab.links)
        link->peer->reset();
    lab.pass_in_steps(15s, 20ms);
    CHECK(client.state() == State::up);
    CHECK(lab.where("foo") == "192.0.2.9");
    CHECK(lab.counts.nodes.load() == 1);
}

TEST_CASE("where the first seed does not answer the next one is tried") {
    ClusterLab lab;
    lab.settings->seeds = {{"192.0.2.77", 7001}, {"192.0.2.1", 7001}};
    lab.on_accept = [](FakeLink& link) {
        if (link.peer->address().ip() == "192.0.2.77")
            link.peer->connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    Client& client = lab.start();
    CHECK(client.state() == State::open);
    lab.pass_in_steps(limits::redis_pause);
    CHECK(client.state() == State::up);
    CHECK(lab.where("foo") == "192.0.2.3");
}

TEST_CASE("replicas take reads where that is wanted, never writes") {
    ClusterLab lab;
    lab.settings->from_replicas = true;
    lab.table = "*1\r\n*4\r\n:0\r\n:16383\r\n*2\r\n" + bulk("192.0.2.1") + ":7001\r\n*2\r\n" +
                bulk("192.0.2.2") + ":7001\r\n";
    std::string wrote;
    lab.answer = [&](FakeLink& link, const Words& words) {
        if (words[0] == "SET") wrote = link.peer->address().ip();
        return lab.clustered(link, words);
    };
    lab.start();
    CHECK(lab.where("foo") == "192.0.2.2");
    const auto set = lab.ask(Command::write({"SET", "foo", "x"}));
    lab.settle();
    CHECK(wrote == "192.0.2.1");
    bool readonly = false;
    for (const auto& link : lab.links)
        if (link->peer->address().ip() == "192.0.2.2")
            readonly = link->asked.front() == Words{"READONLY"};
    CHECK(readonly);
    for (const auto& link : lab.links)
        if (link->peer->address().ip() == "192.0.2.2") link->peer->reset();
    lab.settle();
    CHECK(lab.where("foo") == "192.0.2.1");
}

TEST_CASE("sentinels are asked in turn; only a master is believed; a failover is followed") {
    RedisLab lab;
    lab.settings->seeds = {{"192.0.2.101", 26379}, {"192.0.2.102", 26379}};
    lab.settings->sentinel_master = "mymaster";
    std::string master = "192.0.2.1";
    lab.on_accept = [](FakeLink& link) {
        if (link.peer->address().ip() == "192.0.2.101")
            link.peer->connect_result({ECONNREFUSED, boost::system::system_category()});
    };
    lab.answer = [&](FakeLink& link, const Words& words) {
        const std::string host = link.peer->address().ip();
        if (words[0] == "SENTINEL") return "*2\r\n" + bulk(master) + bulk("6379");
        if (words[0] == "ROLE")
            return host == "192.0.2.3" ? "*1\r\n" + bulk("slave")
                                       : "*3\r\n" + bulk("master") + ":1\r\n*0\r\n";
        if (words[0] == "GET") return bulk(host);
        return lab.usual(words);
    };
    Client& client = lab.start();
    lab.pass_in_steps(100ms);
    REQUIRE(client.state() == State::up);
    auto asked = lab.get("a");
    lab.settle();
    CHECK(asked->reply().text == "192.0.2.1");
    // The sentinels are behind: what they name is none any more.
    master = "192.0.2.3";
    for (const auto& link : lab.links)
        if (link->peer->address().ip() == "192.0.2.1") link->peer->reset();
    lab.pass_in_steps(300ms);
    CHECK(client.state() == State::open);
    master = "192.0.2.2";
    lab.pass_in_steps(3s);
    REQUIRE(client.state() == State::up);
    asked = lab.get("a");
    lab.settle();
    CHECK(asked->reply().text == "192.0.2.2");
    CHECK(lab.faults.open == 1);
}

TEST_CASE("sentinels name the replicas, too: those that are well take the reads") {
    RedisLab lab;
    lab.settings->seeds = {{"192.0.2.101", 26379}};
    lab.settings->sentinel_master = "mymaster";
    lab.settings->from_replicas = true;
    const auto replica = [](const std::string& host, const std::string& flags) {
        return "*6\r\n" + bulk("ip") + bulk(host) + bulk("port") + bulk("6379") + bulk("flags") +
               bulk(flags);
    };
    std::string replicas = "*2\r\n" + replica("192.0.2.2", "slave") +
                           replica("192.0.2.3", "s_down,slave,disconnected");
    lab.answer = [&](FakeLink& link, const Words& words) {
        if (words[0] == "SENTINEL" && words[1] == "REPLICAS") return replicas;
        if (words[0] == "SENTINEL") return "*2\r\n" + bulk("192.0.2.1") + bulk("6379");
        if (words[0] == "ROLE") return "*1\r\n" + bulk("master");
        if (words[0] == "GET") return bulk(link.peer->address().ip());
        return lab.usual(words);
    };
    Client& client = lab.start();
    lab.settle();
    REQUIRE(client.state() == State::up);
    const auto where = [&lab] {
        const auto asked = lab.get("a");
        lab.settle();
        return asked->reply().text;
    };
    CHECK(where() == "192.0.2.2");
    CHECK(where() == "192.0.2.2");
    replicas = "*1\r\n" + replica("192.0.2.3", "slave");
    lab.pass_in_steps(limits::redis_refresh, 500ms);
    CHECK(where() == "192.0.2.3");
    CHECK(lab.counts.nodes.load() == 2);
}

TEST_CASE("a master that turns into a replica is left at once") {
    RedisLab lab;
    lab.settings->seeds = {{"192.0.2.101", 26379}};
    lab.settings->sentinel_master = "mymaster";
    std::string master = "192.0.2.1";
    lab.answer = [&](FakeLink& link, const Words& words) {
        if (words[0] == "SENTINEL") return "*2\r\n" + bulk(master) + bulk("6379");
        if (words[0] == "ROLE") return "*1\r\n" + bulk("master");
        if (words[0] == "SET" && link.peer->address().ip() == "192.0.2.1" && master != "192.0.2.1")
            return std::string("-READONLY You can't write against a read only replica.\r\n");
        return lab.usual(words);
    };
    Client& client = lab.start();
    lab.settle();
    REQUIRE(client.state() == State::up);
    master = "192.0.2.2";
    lab.ask(Command::write({"SET", "k", "v"}));
    lab.settle();
    lab.pass_in_steps(limits::redis_pause);
    REQUIRE(client.state() == State::up);
    const auto again = lab.ask(Command::write({"SET", "k", "v"}));
    lab.settle();
    CHECK(again->reply().is_status("OK"));
}

TEST_CASE("a subscription hears its channels, notices silence, and comes back") {
    RedisLab lab;
    std::vector<std::string> heard;
    std::vector<bool> listening;
    bool mute = false;
    lab.answer = [&](FakeLink&, const Words& words) {
        if (mute) return std::string();
        if (words[0] == "SUBSCRIBE")
            return "*3\r\n" + bulk("subscribe") + bulk(words[1]) + ":1\r\n";
        return lab.usual(words);
    };
    Subscription::Events events;
    events.message = [&](std::string_view channel, std::string_view text) {
        heard.push_back(std::string(channel) + "=" + std::string(text));
    };
    events.listening = [&](bool on) { listening.push_back(on); };
    auto subscription = std::make_unique<Subscription>(lab.around, lab.settings, lab.credentials,
                                                       Words{"one", "two"}, events);
    subscription->start();
    lab.settle();
    CHECK(listening == std::vector<bool>{true});
    lab.links[0]->peer->send("*3\r\n" + bulk("message") + bulk("one") + bulk("x"));
    lab.settle();
    CHECK(heard == Words{"one=x"});
    // A message between PING and its answer is still a message.
    lab.pass(Duration(limits::redis_ping) + 10ms);
    CHECK(lab.links[0]->asked.back() == Words{"PING"});
    mute = true;
    lab.pass_in_steps(Duration(limits::redis_ping) + limits::redis_silence + 100ms, 50ms);
    CHECK(listening == std::vector<bool>{true, false});
    mute = false;
    lab.pass_in_steps(3s, 50ms);
    CHECK(listening == std::vector<bool>{true, false, true});
    lab.links.back()->peer->send("*3\r\n" + bulk("message") + bulk("two") + bulk("y"));
    lab.settle();
    CHECK(heard == Words{"one=x", "two=y"});
    subscription.reset();
}
