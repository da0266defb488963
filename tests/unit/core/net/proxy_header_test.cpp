// PROXY headers: what is written is read back, every cut is waited for, and nothing else passes.
#include "core/net/proxy_header.hpp"

#include <string>

#include <doctest/doctest.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

using Status = ProxyHeader::Status;

SocketAddress address(const char* ip, std::uint16_t port) {
    return *SocketAddress::from_ip(ip, port);
}

const std::string signature{"\r\n\r\n\0\r\nQUIT\n", 12};

/// A header of version 2 with these bytes behind the signature.
std::string v2(std::string_view rest) {
    return signature + std::string(rest);
}

/// Complete at its whole length, and not before.
ProxyHeader whole(const std::string& header) {
    for (std::size_t size = 0; size < header.size(); ++size) {
        CAPTURE(size);
        CHECK(parse_proxy_header(std::string_view(header).substr(0, size)).status ==
              Status::need_more);
    }
    const ProxyHeader read = parse_proxy_header(header + "GET / HTTP/1.1\r\n");
    CHECK(read.status == Status::complete);
    CHECK(read.consumed == header.size());
    return read;
}

void refused(std::string_view bytes) {
    CAPTURE(bytes);
    CHECK(parse_proxy_header(bytes).status == Status::failed);
}

}  // namespace

TEST_CASE("what is written in either version is read back, whatever is cut off at first") {
    const auto both = [](const SocketAddress& from, const SocketAddress& to) {
        for (const std::string& header : {proxy_header_v1(from, to), proxy_header_v2(from, to)}) {
            const ProxyHeader read = whole(header);
            CHECK_FALSE(read.local);
            CHECK(read.source.text() == from.text());
            CHECK(read.destination.text() == to.text());
        }
    };
    both(address("192.0.2.1", 56324), address("198.51.100.7", 443));
    both(address("2001:db8::1", 1), address("2001:db8::2", 65535));
    both(address("192.0.2.1", 56324), address("2001:db8::2", 443));
    CHECK(proxy_header_v1(address("192.0.2.1", 1), address("192.0.2.2", 2)) ==
          "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n");
}

TEST_CASE("a connection on nobody's behalf keeps its own address") {
    CHECK(whole(proxy_header_v1_local()).local);
    CHECK(whole(proxy_header_v2_local()).local);
    CHECK(whole("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n").local);
    CHECK(whole(v2({"\x20\x11\x00\x0c"
                    "aaaabbbbccdd",
                    16}))
              .local);  // LOCAL
    CHECK(whole(v2({"\x21\x12\x00\x0c"
                    "aaaabbbbccdd",
                    16}))
              .local);  // UDP
    CHECK(whole(v2({"\x21\x31\x00\x02"
                    "aa",
                    6}))
              .local);  // a local socket
}

TEST_CASE("what follows the addresses of version 2 is skipped, within the limit") {
    const ProxyHeader read =
        whole(v2({"\x21\x11\x00\x10"
                  "\xc0\x00\x02\x01"
                  "bbbb"
                  "\x00\x50"
                  "dd"
                  "\x04\x00\x01x",
                  20}));
    CHECK(read.source.text() == "192.0.2.1:80");
    refused(v2({"\x21\x11\x7f\xff", 4}));
    const std::size_t most = limits::proxy_header - 16;
    std::string longest = v2({"\x21\x11", 2});
    longest += static_cast<char>(most >> 8);
    longest += static_cast<char>(most & 0xff);
    longest.append(most, '\0');
    CHECK(parse_proxy_header(longest).status == Status::complete);
}

TEST_CASE("anything else is no PROXY header") {
    refused("GET / HTTP/1.1\r\n");
    refused("\x16\x03\x01");
    refused("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n");
    refused("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n");
    refused("PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n");
    refused("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n");
    refused("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n");
    refused("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n");
    refused("PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n");
    refused("PROXY TCP4 192.0.2.1 192.0.2.2 1 -2\r\n");
    refused("PROXY TCP4 name 192.0.2.2 1 2\r\n");
    refused("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n");
    refused("PROXY \r\n");
    refused("PROXY TCP4 " + std::string(200, '1'));
    refused(
        v2({"\x11\x11\x00\x0c"
            "aaaabbbbccdd",
            16}));  // version 1
    refused(
        v2({"\x22\x11\x00\x0c"
            "aaaabbbbccdd",
            16}));  // an unknown command
    refused(
        v2({"\x21\x41\x00\x0c"
            "aaaabbbbccdd",
            16}));  // an unknown family
    refused(
        v2({"\x21\x11\x00\x0b"
            "aaaabbbbccd",
            15}));  // too short for its addresses
}

}  // namespace scrollgate
