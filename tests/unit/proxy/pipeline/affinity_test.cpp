// What ties requests to an endpoint: hash keys of every kind, and the sticky cookie.
#include "proxy/pipeline/affinity.hpp"

#include <set>

#include <doctest/doctest.h>

#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string yaml(const std::string& route) {
    return R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
admin: off
pools: { app: { endpoints: [ "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80", "192.0.2.4:80" ] } }
routes: [ { name: all, pools: [ app ], )" +
           route + " } ]\n";
}

/// One request after the other through one edge; where each went, and the last answer.
struct Asking {
    explicit Asking(const std::string& route) : edge(yaml(route)) {
        edge.dialer.on_connect = [](ScriptedPeer& peer) { peer.on_change(answer_ten()); };
    }
    ~Asking() { CHECK(edge.leftovers() == ""); }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    std::string ask(const std::string& target, const std::string& fields,
                    const std::string& ip = "198.51.100.7") {
        const auto client = edge.client(ip);
        client->send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + fields +
                     "Connection: close\r\n\r\n");
        CHECK(edge.settle());
        answer = read_message(client->written());
        CHECK(answer.status == 200);
        client->finish();
        CHECK(edge.settle());
        std::string where;
        for (const auto& endpoint : edge.endpoints("app")) {
            const std::uint64_t requests = endpoint->state->requests;
            if (requests != std::exchange(seen[endpoint->text], requests)) where = endpoint->text;
        }
        return where;
    }

    Edge edge;
    std::string host = "a";
    ReadMessage answer;
    std::map<std::string, std::uint64_t> seen;
};

/// The same key goes to one place; many keys go to several.
void follows(const std::string& hash, std::function<std::string(Asking&, const std::string&)> ask) {
    INFO(hash);
    Asking asking("balance: consistent_hash, hash: " + hash);
    std::set<std::string> places;
    for (int key = 0; key < 20; ++key) {
        const std::string place = ask(asking, std::to_string(key));
        CHECK(ask(asking, std::to_string(key)) == place);
        places.insert(place);
    }
    CHECK(places.size() > 2);
}

}  // namespace

TEST_CASE("consistent_hash follows the key that the route names") {
    follows("{ header: X-User }", [](Asking& to, const std::string& key) {
        return to.ask("/", "X-User: " + key + "\r\n");
    });
    follows("{ cookie: user }", [](Asking& to, const std::string& key) {
        return to.ask("/", "Cookie: other=1; user=" + key + "; user2=x\r\n");
    });
    follows("{ query: id }", [](Asking& to, const std::string& key) {
        return to.ask("/?x=1&id=" + key + "&y", "");
    });
    follows("path",
            [](Asking& to, const std::string& key) { return to.ask("/" + key + "?q", ""); });
    follows("client", [](Asking& to, const std::string& key) {
        return to.ask("/", "", "198.51.100." + key);
    });
}

TEST_CASE("a host is one key however it is written") {
    Asking hosts("balance: consistent_hash, hash: { header: Host }");
    std::set<std::string> places;
    for (const char* const host : {"shop.test", "SHOP.test", "Shop.Test", "sHoP.tEsT"}) {
        hosts.host = host;
        places.insert(hosts.ask("/", ""));
    }
    CHECK(places.size() == 1);
}

TEST_CASE("a sticky route names the endpoint in a cookie, and the client comes back to it") {
    Asking asking("balance: random, sticky: { cookie: lb, ttl: 1h }");
    const std::string place = asking.ask("/", "");
    const std::string given = asking.answer.field("Set-Cookie");
    CHECK(given.starts_with("lb="));
    CHECK(given.find("Max-Age=3600") != std::string::npos);
    CHECK(given.find("192.0.2") == std::string::npos);
    const std::string cookie = "Cookie: a=b; " + given.substr(0, given.find(';')) + "\r\n";
    for (int i = 0; i < 20; ++i) {
        CHECK(asking.ask("/", cookie) == place);
        CHECK(asking.answer.field("Set-Cookie").empty());
    }
}

TEST_CASE("a cookie whose endpoint is out, or that was made up, is replaced") {
    Asking asking("balance: random, sticky: { cookie: lb }");
    const std::string place = asking.ask("/", "");
    const std::string given = asking.answer.field("Set-Cookie");
    const std::string cookie = "Cookie: " + given.substr(0, given.find(';')) + "\r\n";
    for (const auto& endpoint : asking.edge.endpoints("app")) {
        if (endpoint->text != place) continue;
        endpoint->state->standing = Standing::ejected;
        endpoint->pool_state->epoch.fetch_add(1);
    }
    CHECK(asking.ask("/", cookie) != place);
    CHECK(asking.answer.field("Set-Cookie") != "");
    asking.ask("/", "Cookie: lb=nonsense\r\n");
    CHECK(asking.answer.field("Set-Cookie") != "");
}
