// The c-ares resolver against a small DNS server in the same io_context.
#include "core/net/resolver.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/udp.hpp>
#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A DNS server for a handful of names under "test" (RFC 1035 section 4, by hand).
class ScriptedDns {
  public:
    explicit ScriptedDns(asio::io_context& io)
        : socket_(io, {asio::ip::address_v4::loopback(), 0}) {
        receive();
    }
    [[nodiscard]] std::string address() const {
        return "127.0.0.1:" + std::to_string(socket_.local_endpoint().port());
    }
    void stop() { socket_.close(); }

    int questions = 0;  ///< received so far
    int held = 0;       ///< of these for hold*.test, not answered yet
    int most_held = 0;
    /// Answers what was held back.
    void let_go() {
        for (const auto& [reply, peer] : std::exchange(waiting_, {})) {
            socket_.send_to(asio::buffer(reply), peer);
        }
        held = 0;
    }

  private:
    using Peer = asio::ip::udp::endpoint;

    void receive() {
        socket_.async_receive_from(asio::buffer(buffer_), peer_, [this](auto error, auto size) {
            if (error) return;
            ++questions;
            answer(std::string(buffer_.data(), size));
            receive();
        });
    }

    static std::string record(const std::string& name, int type, unsigned ttl,
                              const std::string& data) {
        std::string out = name;
        const auto put16 = [&](std::size_t v) {
            out += {static_cast<char>(v >> 8 & 255), static_cast<char>(v & 255)};
        };
        put16(static_cast<std::size_t>(type));
        put16(1);
        put16(ttl >> 16);
        put16(ttl & 0xffff);
        put16(data.size());
        return out + data;
    }

    void answer(const std::string& query) {
        std::string name;
        std::size_t at = 12;
        while (query[at] != 0) {
            const auto length = static_cast<std::size_t>(query[at]);
            name += query.substr(at + 1, length) + ".";
            at += length + 1;
        }
        const bool v4 = query[at + 2] == 1;
        if (name.starts_with("silent")) return;

        std::string records;
        int count = 0;
        char code = 0;
        const std::string owner("\xc0\x0c", 2);
        const auto add = [&](const std::string& r) { records += r, ++count; };
        if (name == "two.test." && v4) {
            add(record(owner, 1, 300, "\x0a\x01\x01\x01"));
            add(record(owner, 1, 60, "\x0a\x01\x01\x02"));
        } else if (name == "two.test.") {
            add(record(owner, 28, 90,
                       std::string("\x20\x01\x0d\xb8", 4) + std::string(11, 0) + "\x01"));
        } else if (name == "alias.test." && v4) {
            add(record(owner, 5, 20, std::string("\4real\4test\0", 11)));
            add(record(std::string("\4real\4test\0", 11), 1, 300, "\x0a\x01\x01\x03"));
        } else if (name.starts_with("hold") && v4) {
            add(record(owner, 1, 30, "\x0a\x01\x01\x04"));
        } else if (name == "half.test." || name == "lame.test.") {
            if (v4) add(record(owner, 1, 50, "\x0a\x01\x01\x05"));
            if (!v4 && name == "lame.test.") return;
            if (!v4) code = 2;
        } else if (name.starts_with("missing")) {
            code = 3;
        }
        std::string reply = query.substr(0, 2) + "\x81" + static_cast<char>(0x80 | code);
        reply += std::string("\0\1\0", 3) + static_cast<char>(count) + std::string(4, 0);
        reply += query.substr(12, at + 5 - 12) + records;
        if (name.starts_with("hold")) {
            waiting_.emplace_back(reply, peer_);
            most_held = std::max(most_held, ++held);
        } else {
            socket_.send_to(asio::buffer(reply), peer_);
        }
    }

    asio::ip::udp::socket socket_;
    Peer peer_;
    std::array<char, 2048> buffer_{};
    std::vector<std::pair<std::string, Peer>> waiting_;
};

struct Bench {
    asio::io_context io;
    ScriptedDns dns{io};
    std::optional<CaresResolver> resolver;

    explicit Bench(std::size_t in_flight = 32, std::chrono::milliseconds timeout = 5s) {
        resolver.emplace(io, CaresResolver::Options{dns.address(), timeout, in_flight});
    }
    Resolver::Answer ask(const std::string& name) {
        std::optional<Resolver::Answer> result;
        resolver->resolve(name, 80, [&](const Resolver::Answer& answer) { result = answer; });
        while (!result)
            io.run_one();
        return *result;
    }
};

std::vector<std::string> texts(const Resolver::Answer& answer) {
    std::vector<std::string> result;
    for (const SocketAddress& address : answer.addresses)
        result.push_back(address.text());
    std::sort(result.begin(), result.end());
    return result;
}
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a name gives all of its addresses, of both families, and the least TTL") {
    Bench bench;
    const auto answer = bench.ask("two.test");
    CHECK(texts(answer) == Texts{"10.1.1.1:80", "10.1.1.2:80", "[2001:db8::1]:80"});
    CHECK(answer.ttl == 60s);
    CHECK(answer.error.empty());
}

TEST_CASE("an alias is followed and its TTL counts") {
    Bench bench;
    const auto answer = bench.ask("alias.test");
    CHECK(texts(answer) == Texts{"10.1.1.3:80"});
    CHECK(answer.ttl == 20s);
}

TEST_CASE("a missing name, one without addresses and one without answer are told apart") {
    Bench bench(32, 100ms);
    const auto missing = bench.ask("missing.test");
    CHECK(missing.addresses.empty());
    CHECK(missing.error == "Domain name not found");
    const auto empty = bench.ask("empty.test");
    CHECK(empty.addresses.empty());
    CHECK(empty.error == "DNS server returned answer with no data");
    const auto silent = bench.ask("silent.test");
    CHECK(silent.addresses.empty());
    CHECK(silent.error == "no answer in time");
    const auto odd = bench.ask(std::string(300, 'a') + ".test");
    CHECK(odd.addresses.empty());
    CHECK_FALSE(odd.error.empty());
}

TEST_CASE("one family is told without the other, if that one's question fails or is not answered") {
    Bench bench(32, 500ms);
    for (const char* name : {"half.test", "lame.test"}) {
        const auto answer = bench.ask(name);
        CHECK(texts(answer) == Texts{"10.1.1.5:80"});
        CHECK(answer.ttl == 50s);
        CHECK(answer.unknown == AF_INET6);
        CHECK_FALSE(answer.error.empty());
    }
    CHECK(bench.ask("two.test").unknown == AF_UNSPEC);
    CHECK(bench.ask("alias.test").unknown == AF_UNSPEC);  // it has no others
    CHECK(bench.ask("silent.test").unknown == AF_UNSPEC);
}

TEST_CASE("a name of which one half is never answered is in no other's way") {
    Bench bench(1, 10s);
    std::vector<std::string> order;
    for (const char* name : {"lame.test", "two.test"}) {
        bench.resolver->resolve(name, 80, [&, name](const auto& answer) {
            CHECK(answer.addresses.size() >= 1);
            order.emplace_back(name);
        });
    }
    while (order.size() < 2)
        bench.io.run_one();
    CHECK(order == std::vector<std::string>{"lame.test", "two.test"});
    CHECK(bench.dns.questions == 4);  // no second try was waited for
}

TEST_CASE("literals are answered at once and localhost without a server") {
    Bench bench;
    for (const std::string literal : {"10.9.8.7", "2001:db8::9"}) {
        std::optional<Resolver::Answer> result;
        bench.resolver->resolve(literal, 443, [&](const auto& answer) { result = answer; });
        REQUIRE(result);
        CHECK_FALSE(result->ttl);
        CHECK(result->addresses == std::vector{*SocketAddress::from_ip(literal, 443)});
    }
    const auto answer = bench.ask("localhost");
    CHECK_FALSE(answer.ttl);
    const auto local = texts(answer);
    CHECK(std::find(local.begin(), local.end(), "127.0.0.1:80") != local.end());
    CHECK(bench.dns.questions == 0);
}

TEST_CASE("when nothing is asked the resolver has no work in the io_context") {
    Bench bench(32, 100ms);
    CHECK(bench.ask("two.test").error.empty());
    CHECK_FALSE(bench.ask("silent.test").error.empty());
    bench.dns.stop();
    bench.io.run();  // returns only if no socket is awaited and no timer runs
    CHECK(bench.io.stopped());
}

TEST_CASE("other servers are asked as soon as nothing is under way with those of before") {
    Bench bench;
    ScriptedDns other{bench.io};
    std::optional<Resolver::Answer> held, later;
    bench.resolver->resolve("hold.test", 80, [&](const auto& answer) { held = answer; });
    while (bench.dns.held < 2)  // both families
        bench.io.run_one();
    bench.resolver->use_servers(other.address());
    bench.resolver->resolve("two.test", 80, [&](const auto& answer) { later = answer; });
    CHECK(other.questions == 0);
    bench.dns.let_go();
    while (!held || !later)
        bench.io.run_one();
    CHECK(held->addresses.size() == 1);
    CHECK(later->addresses.size() == 3);
    CHECK(other.questions > 0);
    const int before = bench.dns.questions;
    CHECK(bench.ask("alias.test").error.empty());
    CHECK(bench.dns.questions == before);
}

TEST_CASE("no more names are asked at once than allowed; the rest waits its turn") {
    Bench bench(3);
    int answered = 0;
    for (int i = 0; i < 10; ++i) {
        bench.resolver->resolve("hold" + std::to_string(i) + ".test", 80, [&](const auto& answer) {
            CHECK(texts(answer) == Texts{"10.1.1.4:80"});
            ++answered;
        });
    }
    while (answered < 10) {
        bench.io.run_one();
        // Two questions (A, AAAA) for each name that is in flight.
        if (bench.dns.held == 2 * std::min(3, 10 - answered)) bench.dns.let_go();
    }
    CHECK(bench.dns.most_held == 6);
    CHECK(bench.dns.questions == 20);
}

TEST_CASE("a callback may ask for the next name") {
    Bench bench(1);
    std::vector<std::string> order;
    bench.resolver->resolve("two.test", 1, [&](const auto&) {
        order.push_back("two");
        bench.resolver->resolve("localhost", 2, [&](const auto&) {
            order.push_back("localhost");
            bench.resolver->resolve("alias.test", 3,
                                    [&](const auto&) { order.push_back("alias"); });
        });
    });
    while (order.size() < 3)
        bench.io.run_one();
    CHECK(order == Texts{"two", "localhost", "alias"});
}

TEST_CASE("a thousand names that need no server do not pile up on the stack") {
    Bench bench(2);
    int answered = 0;
    bench.resolver->resolve("hold.test", 80, [&](const auto&) { ++answered; });
    for (int i = 0; i < 1000; ++i) {
        bench.resolver->resolve("localhost", 80, [&](const auto&) { ++answered; });
    }
    while (answered < 1001) {
        if (bench.dns.held == 2) bench.dns.let_go();
        if (answered < 1001) bench.io.run_one();
    }
    CHECK(answered == 1001);
}

TEST_CASE("destroying the resolver calls off what is under way and what waits") {
    Bench bench(1);
    bool called = false;
    for (const char* name : {"silent.test", "two.test"}) {
        bench.resolver->resolve(name, 80, [&](const auto&) { called = true; });
    }
    while (bench.dns.questions == 0)
        bench.io.run_one();
    bench.resolver.reset();
    bench.dns.stop();
    bench.io.run();
    CHECK_FALSE(called);
}
