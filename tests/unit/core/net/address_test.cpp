// Socket addresses, host:port and CIDR blocks in all their written forms.
#include "core/net/address.hpp"

#include <string>

#include <arpa/inet.h>
#include <doctest/doctest.h>

namespace scrollgate {
namespace {

SocketAddress ip(const char* text, std::uint16_t port = 0) {
    const auto address = SocketAddress::from_ip(text, port);
    REQUIRE_MESSAGE(address.has_value(), text);
    return *address;
}

bool holds(const char* block, const char* address) {
    const auto cidr = Cidr::parse(block);
    REQUIRE_MESSAGE(cidr.has_value(), block);
    return cidr->contains(ip(address));
}

}  // namespace

TEST_CASE("an address is written with its port, IPv6 in brackets") {
    CHECK(ip("10.0.0.1", 80).text() == "10.0.0.1:80");
    CHECK(ip("2001:db8::1", 443).text() == "[2001:db8::1]:443");
    CHECK(ip("2001:DB8:0:0::1", 443).ip() == "2001:db8::1");
    CHECK(SocketAddress().text() == "0.0.0.0:0");
    CHECK(ip("::1", 65535).port() == 65535);
}

TEST_CASE("only whole literal addresses are taken as addresses") {
    for (const char* bad :
         {"", "10.0.0", "10.0.0.256", "010.0.0.1", "[::1]", "::1%lo", "name", "1.2.3.4 ",
          "1.2.3.4:80", "1:2:3:4:5:6:7:8:9", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000"})
        CHECK_MESSAGE(!SocketAddress::from_ip(bad, 1).has_value(), bad);
    CHECK_FALSE(SocketAddress::from_ip(std::string_view("1.2.3.4\0x", 9), 1).has_value());
}

TEST_CASE("an IPv4-mapped IPv6 address becomes IPv4") {
    CHECK(ip("::ffff:10.1.2.3", 8080) == ip("10.1.2.3", 8080));
    CHECK(ip("::ffff:10.1.2.3").family() == AF_INET);
    sockaddr_in6 mapped{};
    mapped.sin6_family = AF_INET6;
    mapped.sin6_port = htons(99);
    REQUIRE(inet_pton(AF_INET6, "::ffff:127.0.0.9", &mapped.sin6_addr) == 1);
    const SocketAddress address(reinterpret_cast<const sockaddr*>(&mapped), sizeof mapped);
    CHECK(address.text() == "127.0.0.9:99");
    CHECK(address.size() == sizeof(sockaddr_in));
}

TEST_CASE("an unknown family or a short address gives the empty address") {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(80);
    CHECK(SocketAddress(reinterpret_cast<const sockaddr*>(&v4), 4) == SocketAddress());
    v4.sin_family = AF_UNIX;
    CHECK(SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4) == SocketAddress());
    CHECK(SocketAddress(nullptr, 0) == SocketAddress());
}

TEST_CASE("what the kernel gets back is what was parsed") {
    const SocketAddress v6 = ip("2001:db8::7", 1234);
    CHECK(SocketAddress(v6.data(), v6.size()) == v6);
    const SocketAddress v4 = ip("192.0.2.7", 1234);
    CHECK(SocketAddress(v4.data(), v4.size()) == v4);
    CHECK_FALSE(v4 == v6);
    CHECK_FALSE(v4 == ip("192.0.2.7", 1235));
    CHECK_FALSE(v4 == ip("192.0.2.8", 1234));
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1") {
    CHECK(ip("127.0.0.1").is_loopback());
    CHECK(ip("127.255.0.1").is_loopback());
    CHECK(ip("::1").is_loopback());
    CHECK(ip("::ffff:127.0.0.1").is_loopback());
    CHECK_FALSE(ip("128.0.0.1").is_loopback());
    CHECK_FALSE(ip("::").is_loopback());
    CHECK_FALSE(ip("0.0.0.0").is_loopback());
}

TEST_CASE("host and port are parsed in every written form") {
    struct Case {
        const char* text;
        const char* host;
        std::uint16_t port;
    };
    for (const Case& c :
         {Case{"app.example:80", "app.example", 80}, Case{"app", "app", 0},
          Case{"10.0.0.1:8080", "10.0.0.1", 8080}, Case{":8080", "", 8080},
          Case{"[2001:db8::1]:443", "2001:db8::1", 443}, Case{"[::1]", "::1", 0},
          Case{"a_b.internal.:1", "a_b.internal.", 1}, Case{"127.0.0.1:0", "127.0.0.1", 0},
          Case{"x1.2x:65535", "x1.2x", 65535}}) {
        const auto parsed = parse_host_port(c.text);
        REQUIRE_MESSAGE(parsed.has_value(), c.text);
        CHECK(parsed->host == c.host);
        CHECK(parsed->port == c.port);
    }
}

TEST_CASE("malformed hosts and ports are refused") {
    for (const char* bad : {"",         ":",       "host:",         "host:65536",   "host:080808",
                            "host:-1",  "host:8x", "::1",           "::1:80",       "[::1",
                            "[::1]80",  "[::1]:",  "[10.0.0.1]:80", "[]:80",        "ho st:80",
                            "host/:80", "*:80",    "10.0.0:80",     "1.2.3.4.5:80", "a..b:80",
                            ".a:80",    "-a:80",   "a-:80",         "http://a:80",  "user@a:80",
                            "a.123:1"})
        CHECK_MESSAGE(!parse_host_port(bad).has_value(), bad);
    CHECK_FALSE(parse_host_port(std::string(64, 'a') + ":80").has_value());
    CHECK_FALSE(parse_host_port(std::string_view("a\0b:80", 6)).has_value());
}

TEST_CASE("a block holds its addresses up to the last bit of the prefix") {
    CHECK(holds("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
    CHECK(holds("192.0.2.0/25", "192.0.2.127"));
    CHECK_FALSE(holds("192.0.2.0/25", "192.0.2.128"));
    CHECK(holds("0.0.0.0/0", "203.0.113.9"));
    CHECK_FALSE(holds("0.0.0.0/0", "::1"));
    CHECK(holds("2001:db8::/33", "2001:db8:7fff::1"));
    CHECK_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    CHECK(holds("192.0.2.1", "192.0.2.1"));
    CHECK_FALSE(holds("192.0.2.1", "192.0.2.0"));
    CHECK(holds("::ffff:10.0.0.0/104", "10.9.9.9"));
}

TEST_CASE("a block is written without the bits beyond its prefix") {
    CHECK(Cidr::parse("10.1.2.3/8")->text() == "10.0.0.0/8");
    CHECK(Cidr::parse("192.0.2.255/31")->text() == "192.0.2.254/31");
    CHECK(Cidr::parse("2001:db8::1")->text() == "2001:db8::1/128");
    CHECK(Cidr::parse("::ffff:10.0.0.0/104")->text() == "10.0.0.0/8");
}

TEST_CASE("malformed blocks are refused") {
    for (const char* bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
                            "10.0.0/8", "::/129", "::ffff:10.0.0.0/95", "name/8", "10.0.0.0/8/8"})
        CHECK_MESSAGE(!Cidr::parse(bad).has_value(), bad);
}

}  // namespace scrollgate
