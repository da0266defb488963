// Addresses: what the kernel connects to, and the text forms people write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netinet/in.h>

namespace scrollgate {

/// An IPv4 or IPv6 address with a port. A value; 28 bytes.
class SocketAddress {
  public:
    SocketAddress() noexcept;  ///< 0.0.0.0:0
    /// From what accept() or a resolver gave. IPv4-mapped IPv6 becomes IPv4.
    SocketAddress(const sockaddr* address, socklen_t length) noexcept;
    /// A literal IP (no name, IPv6 without brackets); nothing if it is none.
    [[nodiscard]] static std::optional<SocketAddress> from_ip(std::string_view ip,
                                                              std::uint16_t port) noexcept;

    [[nodiscard]] const sockaddr* data() const noexcept;
    [[nodiscard]] socklen_t size() const noexcept;
    [[nodiscard]] int family() const noexcept { return storage_.v4.sin_family; }
    [[nodiscard]] std::uint16_t port() const noexcept;
    /// "10.0.0.1", "2001:db8::1"
    [[nodiscard]] std::string ip() const;
    /// "10.0.0.1:80", "[2001:db8::1]:80"
    [[nodiscard]] std::string text() const;
    /// 127.0.0.0/8 and ::1.
    [[nodiscard]] bool is_loopback() const noexcept;
    bool operator==(const SocketAddress& other) const noexcept;

  private:
    union {
        sockaddr_in v4;
        sockaddr_in6 v6;
    } storage_;
};

/// Host and port as written: a name, an IPv4 or a (bracketed) IPv6 literal.
struct HostPort {
    std::string host;        ///< without brackets; empty for ":8080"
    std::uint16_t port = 0;  ///< 0 if none was written
};

/// Parses "host:port", "host", "[v6]:port", ":port". Nothing if malformed: empty, IPv6 without
/// brackets, a host that is no DNS name (letters, digits, '-', '_'), a last label of digits that is
/// no IPv4 address, a port beyond 65535. Port 0 may be written; it reads like none. Any thread.
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text);

/// A block of addresses, "10.0.0.0/8"; a bare address is a block of one. Bits beyond the prefix
/// are ignored.
class Cidr {
  public:
    [[nodiscard]] static std::optional<Cidr> parse(std::string_view text) noexcept;
    [[nodiscard]] bool contains(const SocketAddress& address) const noexcept;
    [[nodiscard]] std::string text() const;

  private:
    int family_ = 0;
    std::uint8_t bits_ = 0;
    std::uint8_t bytes_[16]{};
};

}  // namespace scrollgate
