#include "core/net/proxy_header.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

using Status = ProxyHeader::Status;

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t v2_fixed = 16;
constexpr std::size_t v1_longest = 107;  ///< with CRLF, as the specification counts it
constexpr std::string_view v1_begin = "PROXY ";

const ProxyHeader failed{Status::failed, 0, false, false, {}, {}};

unsigned byte(std::string_view bytes, std::size_t at) noexcept {
    return static_cast<unsigned char>(bytes[at]);
}

/// Takes the text up to the next space.
std::string_view word(std::string_view& line) noexcept {
    const std::size_t space = line.find(' ');
    const std::string_view taken = line.substr(0, space);
    line = space == line.npos ? std::string_view() : line.substr(space + 1);
    return taken;
}

std::optional<std::uint16_t> port_of(std::string_view text) noexcept {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool padded = text.size() > 1 && text.front() == '0';
    if (error != std::errc{} || end != text.data() + text.size() || padded) return std::nullopt;
    return port;
}

ProxyHeader parse_v1(std::string_view bytes) noexcept {
    const std::string_view head = bytes.substr(0, v1_longest);
    const std::size_t end = head.find("\r\n");
    if (end == head.npos) return bytes.size() < v1_longest ? ProxyHeader{} : failed;
    std::string_view line = head.substr(v1_begin.size(), end - v1_begin.size());
    ProxyHeader made{Status::complete, end + 2, false, false, {}, {}};
    const std::string_view family = word(line);
    if (family == "UNKNOWN") {
        made.local = made.anonymous = true;
        return made;
    }
    const int expected = family == "TCP4" ? AF_INET : family == "TCP6" ? AF_INET6 : 0;
    if (expected == 0 || std::count(line.begin(), line.end(), ' ') != 3) return failed;
    const std::string_view from = word(line), to = word(line);
    const std::optional<std::uint16_t> from_port = port_of(word(line)), to_port = port_of(line);
    if (!from_port || !to_port) return failed;
    const bool v6 = expected == AF_INET6;
    const auto is_kind = [&](std::string_view ip) { return (ip.find(':') != ip.npos) == v6; };
    const auto source = SocketAddress::from_ip(from, *from_port);
    const auto destination = SocketAddress::from_ip(to, *to_port);
    if (!source || !destination || !is_kind(from) || !is_kind(to)) return failed;
    made.source = SocketAddress(source->data(), source->size());  // a mapped one is IPv4
    made.destination = SocketAddress(destination->data(), destination->size());
    return made;
}

SocketAddress address_v4(std::string_view bytes, std::size_t ip, std::size_t port) noexcept {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    std::memcpy(&made.sin_addr, bytes.data() + ip, 4);
    std::memcpy(&made.sin_port, bytes.data() + port, 2);
    return {reinterpret_cast<const sockaddr*>(&made), sizeof made};
}

SocketAddress address_v6(std::string_view bytes, std::size_t ip, std::size_t port) noexcept {
    sockaddr_in6 made{};
    made.sin6_family = AF_INET6;
    std::memcpy(&made.sin6_addr, bytes.data() + ip, 16);
    std::memcpy(&made.sin6_port, bytes.data() + port, 2);
    return {reinterpret_cast<const sockaddr*>(&made), sizeof made};
}

ProxyHeader parse_v2(std::string_view bytes) noexcept {
    if (bytes.size() < v2_fixed) return {};
    const unsigned version = byte(bytes, 12) >> 4, command = byte(bytes, 12) & 15U;
    const unsigned family = byte(bytes, 13) >> 4, transport = byte(bytes, 13) & 15U;
    const std::size_t length = byte(bytes, 14) << 8 | byte(bytes, 15);
    if (version != 2 || command > 1 || family > 3 || transport > 2) return failed;
    if (v2_fixed + length > limits::proxy_header) return failed;
    if (bytes.size() < v2_fixed + length) return {};
    ProxyHeader made{Status::complete, v2_fixed + length, false, false, {}, {}};
    // What a LOCAL connection says of addresses is to be ignored; so is what is not TCP over IP.
    made.anonymous = command == 1 && (transport != 1 || family == 0 || family == 3);
    made.local = command == 0 || made.anonymous;
    if (made.local) return made;
    if (length < (family == 1 ? 12U : 36U)) return failed;
    made.source = family == 1 ? address_v4(bytes, 16, 24) : address_v6(bytes, 16, 48);
    made.destination = family == 1 ? address_v4(bytes, 20, 26) : address_v6(bytes, 32, 50);
    return made;
}

/// 16 bytes, an IPv4 address as a mapped one.
void append_v6(const SocketAddress& address, std::string& to) {
    if (address.family() == AF_INET6) {
        const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address.data());
        to.append(reinterpret_cast<const char*>(&v6.sin6_addr), 16);
        return;
    }
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address.data());
    to.append(10, '\0').append(2, '\xff');
    to.append(reinterpret_cast<const char*>(&v4.sin_addr), 4);
}

void append_port(const SocketAddress& address, std::string& to) {
    to += static_cast<char>(address.port() >> 8);
    to += static_cast<char>(address.port() & 0xff);
}

bool begins_or_may(std::string_view bytes, std::string_view with) noexcept {
    const std::size_t common = std::min(bytes.size(), with.size());
    return bytes.substr(0, common) == with.substr(0, common);
}

std::string ip_for(const SocketAddress& address, bool v4) {
    return v4 || address.family() == AF_INET6 ? address.ip() : "::ffff:" + address.ip();
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) noexcept {
    if (begins_or_may(bytes, signature))
        return bytes.size() < signature.size() ? ProxyHeader{} : parse_v2(bytes);
    if (begins_or_may(bytes, v1_begin))
        return bytes.size() < v1_begin.size() ? ProxyHeader{} : parse_v1(bytes);
    return failed;
}

std::string proxy_header_v1(const SocketAddress& source, const SocketAddress& destination) {
    const bool v4 = source.family() == AF_INET && destination.family() == AF_INET;
    return fmt::format("PROXY {} {} {} {} {}\r\n", v4 ? "TCP4" : "TCP6", ip_for(source, v4),
                       ip_for(destination, v4), source.port(), destination.port());
}

std::string proxy_header_v2(const SocketAddress& source, const SocketAddress& destination) {
    const bool v4 = source.family() == AF_INET && destination.family() == AF_INET;
    std::string made(signature);
    made += '\x21';
    made += v4 ? '\x11' : '\x21';
    made += '\0';
    made += v4 ? '\x0c' : '\x24';
    for (const SocketAddress* const one : {&source, &destination}) {
        if (v4)
            made.append(reinterpret_cast<const char*>(
                            &reinterpret_cast<const sockaddr_in*>(one->data())->sin_addr),
                        4);
        else
            append_v6(*one, made);
    }
    append_port(source, made);
    append_port(destination, made);
    return made;
}

std::string proxy_header_v1_local() {
    return "PROXY UNKNOWN\r\n";
}

std::string proxy_header_v2_local() {
    return std::string(signature).append("\x20\x00\x00\x00", 4);
}

}  // namespace scrollgate
