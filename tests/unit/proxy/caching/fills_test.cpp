// Fills: one request for all who wait, whoever leaves, whatever breaks off.
#include <fstream>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/proxy/caching/cached_edge.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

const std::string get_a = "GET /a HTTP/1.1\nHost: a.example";

/// An origin that is answered for by hand.
struct HeldSite : CachedEdge {
    explicit HeldSite(const std::string& yaml = cached_route()) : CachedEdge(yaml) {
        answer = [](const ReadMessage&) { return std::string(); };
    }
    /// Bytes on the connection of the nth request.
    void origin_sends(std::string_view bytes, std::size_t nth = 0) {
        edge.dialer.peers.at(nth)->send(std::string(bytes));
        CHECK(edge.settle());
    }
};

}  // namespace

TEST_CASE("misses at a time make one request, and all get the answer as it comes") {
    HeldSite site;
    const auto leader = site.send(get_a);
    const auto follower = site.send(get_a);
    CHECK(site.asked.size() == 1);
    CHECK(site.edge.cache.fills.waiting() == 2);
    site.origin_sends(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n01234");
    CHECK(leader->written().ends_with("01234"));
    CHECK(follower->written().ends_with("01234"));
    const auto late = site.send(get_a);
    CHECK(late->written().ends_with("01234"));
    site.origin_sends("56789");
    CHECK(site.finish(*leader).field("Cache-Status") == "scrollgate; fwd=miss; stored");
    const ReadMessage second = site.finish(*follower);
    CHECK(second.body == "0123456789");
    CHECK(second.field("Cache-Status") == "scrollgate; fwd=miss; collapsed");
    CHECK(site.finish(*late).body == "0123456789");
    CHECK(site.get().body == "0123456789");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a leader's client that leaves ends nothing but its own reading") {
    HeldSite site;
    const auto leader = site.send(get_a);
    const auto follower = site.send(get_a);
    leader->reset();
    CHECK(site.edge.settle());
    site.origin_sends(HeldSite::reply("200 OK\nCache-Control: max-age=60", "hello"));
    CHECK(site.finish(*follower).body == "hello");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("a fill goes on when all clients have left, and is stored") {
    HeldSite site;
    const auto leader = site.send(get_a);
    leader->reset();
    CHECK(site.edge.settle());
    site.origin_sends(HeldSite::reply("200 OK\nCache-Control: max-age=60", "hello"));
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
    CHECK(site.asked.size() == 1);
}

TEST_CASE("when an answer turns out private, followers go on their own at once") {
    HeldSite site;
    const auto leader = site.send(get_a);
    const auto follower = site.send(get_a);
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: private", "his");
    };
    site.origin_sends("HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: 4\r\n\r\n");
    CHECK(site.asked.size() == 2);
    CHECK(site.finish(*follower).body == "his");
    site.origin_sends("mine");
    CHECK(site.finish(*leader).body == "mine");
}

TEST_CASE("nobody waits for the answer to a request that is probably its own") {
    for (const char* own : {"\nCache-Control: no-store", "\nAuthorization: Basic eDp5"}) {
        HeldSite site;
        const auto strange = site.send(get_a + own);
        const auto leader = site.send(get_a);
        const auto follower = site.send(get_a);
        CHECK(site.asked.size() == 2);
        const auto another = site.send(get_a + own);  // joins, if it may
        CHECK(site.asked.size() == (own[1] == 'C' ? 2 : 3));
        site.origin_sends(HeldSite::reply("200 OK\nCache-Control: max-age=60", "his"));
        CHECK(site.finish(*strange).body == "his");
        site.origin_sends(HeldSite::reply("200 OK\nCache-Control: max-age=60", "all"), 1);
        CHECK(site.finish(*leader).body == "all");
        CHECK(site.finish(*follower).field("Cache-Status") == "scrollgate; fwd=miss; collapsed");
        another->reset();
        CHECK(site.edge.settle());
        CHECK(site.get().body == "all");
        for (std::size_t i = 2; i < site.asked.size(); ++i)
            site.origin_sends(HeldSite::reply("200 OK", ""), i);
    }
}

TEST_CASE("a follower for whom Vary chooses another response leads its own fill") {
    HeldSite site;
    const auto leader = site.send(get_a + "\nX-Tongue: de");
    const auto follower = site.send(get_a + "\nX-Tongue: en");
    CHECK(site.asked.size() == 1);
    site.answer = [](const ReadMessage& request) {
        return CachedEdge::reply("200 OK\nVary: X-Tongue\nCache-Control: max-age=60",
                                 request.field("X-Tongue"));
    };
    site.origin_sends(HeldSite::reply("200 OK\nVary: X-Tongue\nCache-Control: max-age=60", "de"));
    CHECK(site.finish(*leader).body == "de");
    CHECK(site.finish(*follower).body == "en");
    CHECK(site.get("\nX-Tongue: en").field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("followers whom Vary tells apart from the leader wait for each other") {
    HeldSite site;
    const auto ask = [&](const char* tongue) { return site.send(get_a + "\nX-Tongue: " + tongue); };
    const auto answer = [&](const char* tongue, std::size_t nth) {
        site.origin_sends(
            HeldSite::reply("200 OK\nConnection: close\nVary: X-Tongue\nCache-Control: max-age=60",
                            tongue),
            nth);
    };
    const auto leader = ask("de");
    std::vector<std::shared_ptr<ScriptedPeer>> english, french;
    for (int i = 0; i < 20; ++i) {
        english.push_back(ask("en"));
        french.push_back(ask("fr"));
    }
    CHECK(site.asked.size() == 1);
    answer("de", 0);
    CHECK(site.asked.size() == 3);  // both at once, not one after the other
    const bool english_first = site.asked.at(1).field("X-Tongue") == "en";
    answer("en", english_first ? 1 : 2);
    answer("fr", english_first ? 2 : 1);
    CHECK(site.finish(*leader).body == "de");
    for (const auto& one : english)
        CHECK(site.finish(*one).body == "en");
    for (const auto& one : french)
        CHECK(site.finish(*one).body == "fr");
    CHECK(site.asked.size() == 3);
    // What is stored tells what it varies by: nobody waits for another variant.
    const auto italian = ask("it"), spanish = ask("es"), second = ask("it");
    CHECK(site.asked.size() == 5);
    answer("it", 3);
    answer("es", 4);
    CHECK(site.finish(*second).body == "it");
    CHECK(site.finish(*spanish).body == "es");
    CHECK(site.finish(*italian).body == "it");
}

TEST_CASE("an origin that varies by something else each time is waited for four times") {
    HeldSite site;
    constexpr std::size_t count = 9;
    std::vector<std::shared_ptr<ScriptedPeer>> clients;
    for (std::size_t i = 0; i < count; ++i) {
        std::string fields = fmt::format("\nX-Id: {}", i);
        for (std::size_t other = 0; other < count; ++other)
            fields += fmt::format("\nX-{}: {}", other, i == other ? "me" : "another");
        clients.push_back(site.send(get_a + fields));
    }
    for (std::size_t nth = 0; nth < count; ++nth) {
        CHECK(site.asked.size() == (nth < 4 ? nth + 1 : count));
        const std::string id(site.asked.at(nth).field("X-Id"));
        const std::string head =
            "200 OK\nConnection: close\nCache-Control: max-age=60\nVary: X-" + id;
        site.origin_sends(HeldSite::reply(head, id), nth);
    }
    for (std::size_t i = 0; i < count; ++i)
        CHECK(site.finish(*clients[i]).body == std::to_string(i));
    CHECK(site.asked.size() == count);
}

TEST_CASE("a 404 that others have waited for is not waited for again, but what is good is stored") {
    HeldSite site;
    const auto not_found = HeldSite::reply("404 Not Found\nConnection: close", "no");
    const auto leader = site.send(get_a);
    const auto follower = site.send(get_a);
    CHECK(site.asked.size() == 1);
    site.origin_sends(not_found, 0);
    CHECK(site.asked.size() == 2);
    site.origin_sends(not_found, 1);
    CHECK(site.finish(*leader).status == 404);
    CHECK(site.finish(*follower).status == 404);
    const auto third = site.send(get_a), fourth = site.send(get_a);
    CHECK(site.asked.size() == 4);
    site.origin_sends(not_found, 2);
    CHECK(site.finish(*third).status == 404);
    site.origin_sends(HeldSite::reply("200 OK\nCache-Control: max-age=60", "hello"), 3);
    CHECK(site.finish(*fourth).field("Cache-Status") == "scrollgate; fwd=miss; stored");
    CHECK(site.get().field("Cache-Status") == "scrollgate; hit; ttl=60");
}

TEST_CASE("a 404 that nobody else has waited for leaves nothing behind, nor does a 500") {
    HeldSite site;
    std::string answer;
    bool waited = false;
    SUBCASE("404") {
        answer = HeldSite::reply("404 Not Found\nConnection: close", "no");
    }
    SUBCASE("500") {
        answer = HeldSite::reply("500 Sorry\nConnection: close", "no");
        waited = true;
    }
    std::size_t nth = 0;
    const auto answer_all = [&] {
        for (; nth < site.asked.size(); ++nth)
            site.origin_sends(answer, nth);
    };
    std::vector<std::shared_ptr<ScriptedPeer>> clients{site.send(get_a)};
    if (waited) clients.push_back(site.send(get_a));
    answer_all();
    const std::size_t before = site.asked.size();
    clients.push_back(site.send(get_a));
    clients.push_back(site.send(get_a));
    CHECK(site.asked.size() == before + 1);  // the second one waits
    CHECK(site.edge.cache.store.numbers().entries == 0);
    answer_all();
    for (const auto& client : clients)
        CHECK(site.finish(*client).body == "no");
}

TEST_CASE("what is truncated is not stored, and nobody takes it for whole") {
    HeldSite site;
    const auto leader = site.send(get_a);
    site.origin_sends(
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n01234");
    site.edge.dialer.peers.at(0)->finish();
    CHECK(site.edge.settle());
    CHECK(leader->closed());
    CHECK_FALSE(site.finish(*leader).complete);
    CHECK(site.edge.cache.store.numbers().entries == 0);
}

TEST_CASE("an error is everybody's who waited for it") {
    HeldSite site;
    const auto leader = site.send(get_a);
    const auto follower = site.send(get_a);
    site.pass(4);  // upstream_response is 3 s
    CHECK(site.finish(*leader).status == 504);
    CHECK(site.finish(*follower).status == 504);
    CHECK(site.asked.size() == 1);
}

TEST_CASE("beyond max_object a response passes, whether it says its length or not") {
    const std::string body(1'200'000, 'x');
    for (const bool said : {true, false}) {
        CachedEdge site("cache: { memory: 8MiB, max_object: 1MiB }\n" + cached_route());
        site.answer = [&](const ReadMessage&) {
            if (said) return CachedEdge::reply("200 OK\nCache-Control: max-age=60", body);
            return "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n"
                   "124f80\r\n" +
                   body + "\r\n0\r\n\r\n";
        };
        CHECK(site.get().body == body);
        CHECK(site.get().body == body);
        CHECK(site.asked.size() == 2);
    }
}

TEST_CASE("an origin that is slow is answered for, stale, and its answer is stored when it comes") {
    CachedEdge site(cached_route(", stale_if_slow: 1s"));
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=5", "one");
    };
    static_cast<void>(site.get());
    site.pass(6);
    site.answer = [](const ReadMessage&) { return std::string(); };
    const auto client = site.send(get_a);
    CHECK(client->written().empty());
    site.pass(1);
    const ReadMessage stale = site.finish(*client);
    CHECK(stale.body == "one");
    CHECK(stale.field("Cache-Status") == "scrollgate; fwd=stale; ttl=-2; detail=slow");
    site.edge.dialer.peers.back()->send(
        CachedEdge::reply("200 OK\nCache-Control: max-age=60", "two"));
    CHECK(site.edge.settle());
    CHECK(site.get().body == "two");
}

TEST_CASE("a worker that stops calls its fills off") {
    HeldSite site;
    const auto leader = site.send(get_a);
    site.edge.worker.abandon_all();
    CHECK(site.edge.settle());
    CHECK(site.edge.cache.fills.size() == 0);
    static_cast<void>(site.finish(*leader));
}

TEST_CASE("a URL is fetched without a client, once for all who want it") {
    CachedEdge site;
    std::vector<FillEnd> ends;
    const FillOrder order{"http", "a.example", "/a?x=1", "", ""};
    start_fill(site.edge.worker, order, [&](const FillEnd& end) { ends.push_back(end); });
    CHECK(site.edge.settle());
    REQUIRE(ends.size() == 1);
    CHECK(ends[0].outcome == "ok");
    CHECK(ends[0].reason == CacheReason::none);
    CHECK(ends[0].status == 200);
    CHECK(ends[0].bytes == 5);
    CHECK(site.get("", "/a?x=1").field("Cache-Status") == "scrollgate; hit; ttl=60");
    start_fill(site.edge.worker, {"http", "a b", "/a", "", ""},
               [&](const FillEnd& end) { ends.push_back(end); });
    REQUIRE(ends.size() == 2);
    CHECK(ends[1].outcome == "bad_host");
}

namespace {

/// The log of a miss and a hit.
std::vector<std::string> logged(config::AccessLog::Format format) {
    char path[] = "/tmp/fill_log_XXXXXX";
    const int file = ::mkstemp(path);
    REQUIRE(file >= 0);
    ::close(file);
    {
        AccessLog log({path, format}, 1);
        CachedEdge site(cached_route(), &log);
        static_cast<void>(site.get());
        static_cast<void>(site.get());
    }
    std::ifstream lines(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(lines, line);)
        all.push_back(line);
    ::unlink(path);
    return all;
}

}  // namespace

TEST_CASE("a fill is logged once, as what it is") {
    std::vector<std::string> fills, requests;
    for (const std::string& line : logged(config::AccessLog::Format::json))
        (line.find("\"kind\":\"fill\"") != line.npos ? fills : requests).push_back(line);
    REQUIRE(fills.size() == 1);
    REQUIRE(requests.size() == 2);
    CHECK(fills[0].find("\"upstream\":\"192.0.2.") != std::string::npos);
    CHECK(requests[0].find("\"cache\":\"scrollgate; fwd=miss; stored\"") != std::string::npos);
    CHECK(requests[1].find("\"cache\":\"scrollgate; hit; ttl=60\"") != std::string::npos);
}

TEST_CASE("the combined log, which cannot tell a fill from a request, has requests alone") {
    CHECK(logged(config::AccessLog::Format::combined).size() == 2);
}

TEST_CASE("an object that is about to expire is refreshed by a hit, before it does") {
    CachedEdge site;
    site.answer = [](const ReadMessage&) { return std::string(); };
    const auto first = site.send(get_a);
    site.pass(2);  // a slow origin: worth refreshing early
    site.edge.dialer.peers.at(0)->send(
        CachedEdge::reply("200 OK\nCache-Control: max-age=60", "one"));
    CHECK(site.edge.settle());
    static_cast<void>(site.finish(*first));
    site.answer = [](const ReadMessage&) {
        return CachedEdge::reply("200 OK\nCache-Control: max-age=60", "two");
    };
    site.pass(56);
    for (int i = 0; i < 200 && site.asked.size() == 1; ++i)
        CHECK(site.get().field("Cache-Status").starts_with("scrollgate; hit; "));
    CHECK(site.asked.size() == 2);
    CHECK(site.get().body == "two");
}
