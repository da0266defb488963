// Text and binary forms of addresses. No state, any thread.
#include "core/net/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

namespace scrollgate {
namespace {

constexpr std::uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned mapped_bits = 96;

bool is_mapped(const std::uint8_t* v6) noexcept {
    return std::memcmp(v6, mapped_prefix, sizeof mapped_prefix) == 0;
}

/// The address bytes, 4 or 16, in network order.
void copy_ip(const SocketAddress& address, std::uint8_t (&out)[16]) noexcept {
    if (address.family() == AF_INET)
        std::memcpy(out, &reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr, 4);
    else
        std::memcpy(out, &reinterpret_cast<const sockaddr_in6*>(address.data())->sin6_addr, 16);
}

/// A number of at most `digits` decimal digits, up to `max`; nothing for anything else.
std::optional<unsigned> small_number(std::string_view text, std::size_t digits, unsigned max) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    if (text.empty() || text.size() > digits) return std::nullopt;
    const auto [stop, failure] = std::from_chars(text.data(), end, value);
    if (failure != std::errc{} || stop != end || value > max) return std::nullopt;
    return value;
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// A host name of letters, digits, '-' and '_' in labels (RFC 1123 2.1; '_' as in practice), or an
/// IPv4 literal. What ends in a number must be a whole IPv4 address, so that "10.0.0" or
/// "1.2.3.400" is a slip and not a name.
bool is_host(std::string_view host) noexcept {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty() || host.size() > 253) return false;
    std::string_view rest = host;
    std::string_view label;
    while (true) {
        const std::size_t dot = rest.find('.');
        label = rest.substr(0, dot);
        if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
            return false;
        const bool sane = std::all_of(label.begin(), label.end(), [](char c) {
            return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                   c == '_';
        });
        if (!sane) return false;
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    if (std::all_of(label.begin(), label.end(), is_digit))
        return SocketAddress::from_ip(host, 0).has_value();
    return true;
}

}  // namespace

SocketAddress::SocketAddress() noexcept {
    std::memset(&storage_, 0, sizeof storage_);
    storage_.v4.sin_family = AF_INET;
}

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length) noexcept : SocketAddress() {
    if (address == nullptr || length < sizeof(sa_family_t)) return;
    if (address->sa_family == AF_INET && length >= sizeof(sockaddr_in)) {
        std::memcpy(&storage_.v4, address, sizeof(sockaddr_in));
    } else if (address->sa_family == AF_INET6 && length >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6;
        std::memcpy(&v6, address, sizeof v6);
        if (is_mapped(v6.sin6_addr.s6_addr)) {
            storage_.v4.sin_port = v6.sin6_port;
            std::memcpy(&storage_.v4.sin_addr, v6.sin6_addr.s6_addr + sizeof mapped_prefix, 4);
        } else {
            storage_.v6 = v6;
        }
    }
}

std::optional<SocketAddress> SocketAddress::from_ip(std::string_view ip,
                                                    std::uint16_t port) noexcept {
    char text[INET6_ADDRSTRLEN];
    if (ip.empty() || ip.size() >= sizeof text || ip.find('\0') != std::string_view::npos)
        return std::nullopt;
    std::memcpy(text, ip.data(), ip.size());
    text[ip.size()] = '\0';
    sockaddr_in v4{};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
    }
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    }
    return std::nullopt;
}

const sockaddr* SocketAddress::data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
}

socklen_t SocketAddress::size() const noexcept {
    return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

std::uint16_t SocketAddress::port() const noexcept {
    return ntohs(family() == AF_INET6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

std::string SocketAddress::ip() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET6)
        inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
    else
        inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
    return text;
}

std::string SocketAddress::text() const {
    return family() == AF_INET6 ? fmt::format("[{}]:{}", ip(), port())
                                : fmt::format("{}:{}", ip(), port());
}

bool SocketAddress::is_loopback() const noexcept {
    if (family() == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
    return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
}

bool SocketAddress::operator==(const SocketAddress& other) const noexcept {
    if (family() != other.family() || port() != other.port()) return false;
    if (family() == AF_INET6)
        return std::memcmp(&storage_.v6.sin6_addr, &other.storage_.v6.sin6_addr,
                           sizeof(in6_addr)) == 0 &&
               storage_.v6.sin6_scope_id == other.storage_.v6.sin6_scope_id;
    return storage_.v4.sin_addr.s_addr == other.storage_.v4.sin_addr.s_addr;
}

std::optional<HostPort> parse_host_port(std::string_view text) {
    HostPort parsed;
    std::string_view rest;  // what follows the host: nothing, or ':' and the port
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        const std::string_view inside = text.substr(1, close - 1);
        if (inside.find(':') == std::string_view::npos || !SocketAddress::from_ip(inside, 0))
            return std::nullopt;
        parsed.host = inside;
        rest = text.substr(close + 1);
    } else {
        const std::size_t colon = text.find(':');
        const std::string_view host = text.substr(0, colon);
        if (colon == std::string_view::npos ? host.empty() : text.find(':', colon + 1) != text.npos)
            return std::nullopt;  // empty, or IPv6 without brackets
        if (!host.empty() && !is_host(host)) return std::nullopt;
        parsed.host = host;
        rest = text.substr(host.size());
    }
    if (rest.empty()) return parsed;
    if (rest.front() != ':') return std::nullopt;
    const auto port = small_number(rest.substr(1), 5, 65535);
    if (!port) return std::nullopt;
    parsed.port = static_cast<std::uint16_t>(*port);
    return parsed;
}

std::optional<Cidr> Cidr::parse(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const std::string_view ip = text.substr(0, slash);
    const bool v6_text = ip.find(':') != std::string_view::npos;
    const auto address = SocketAddress::from_ip(ip, 0);
    if (!address) return std::nullopt;
    const unsigned widest = v6_text ? 128 : 32;
    unsigned bits = widest;
    if (slash != std::string_view::npos) {
        const auto given = small_number(text.substr(slash + 1), 3, widest);
        if (!given) return std::nullopt;
        bits = *given;
    }
    Cidr block;
    block.family_ = address->family();
    if (block.family_ == AF_INET) {
        // An IPv4-mapped block is an IPv4 block, as its members are seen as IPv4, too.
        if (v6_text && bits < mapped_bits) return std::nullopt;
        if (v6_text) bits -= mapped_bits;
    }
    copy_ip(*address, block.bytes_);
    block.bits_ = static_cast<std::uint8_t>(bits);
    for (std::size_t i = 0; i < sizeof block.bytes_; ++i) {
        const std::size_t kept = bits > i * 8 ? std::min<std::size_t>(bits - i * 8, 8) : 0;
        block.bytes_[i] = static_cast<std::uint8_t>(block.bytes_[i] & (0xff00U >> kept));
    }
    return block;
}

bool Cidr::contains(const SocketAddress& address) const noexcept {
    if (address.family() != family_) return false;
    std::uint8_t bytes[16]{};
    copy_ip(address, bytes);
    const std::size_t whole = bits_ / 8;
    if (std::memcmp(bytes, bytes_, whole) != 0) return false;
    if (bits_ % 8 == 0) return true;
    return (bytes[whole] & (0xff00U >> (bits_ % 8)) & 0xffU) == bytes_[whole];
}

std::string Cidr::text() const {
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(family_, bytes_, text, sizeof text);
    return fmt::format("{}/{}", text, bits_);
}

}  // namespace scrollgate
