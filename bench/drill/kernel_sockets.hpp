// What the kernel knows of TCP connections: /proc/net/tcp and tcp6 (proc(5)).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/address.hpp"

namespace scrollgate::bench {

/// Ports that process `pid` listens on; empty if there are none, or if they cannot be seen.
[[nodiscard]] std::set<std::uint16_t> listening_ports(int pid);

/// Connections that came to one of `ports` in the network namespace of `pid`, with bytes in them
/// that nobody has read: requests that were delivered and not looked at.
[[nodiscard]] std::uint64_t unread_connections(int pid, const std::set<std::uint16_t>& ports);

/// Connections to the host of `peer` (its port, too, if that is not 0) in the network namespace of
/// `pid`, with bytes that were sent and never acknowledged.
[[nodiscard]] std::uint64_t unacknowledged_connections(int pid, const SocketAddress& peer);

/// The text of one of these files, parsed; for tests. Lines that are malformed are skipped.
struct KernelSocket {
    std::string local_ip, remote_ip;  ///< as SocketAddress::ip()
    std::uint16_t local_port = 0, remote_port = 0;
    unsigned state = 0;  ///< as the kernel numbers them: 1 established, 8 close-wait, 10 listen
    std::uint64_t unacknowledged = 0, unread = 0;
    std::uint64_t inode = 0;
};
[[nodiscard]] std::vector<KernelSocket> parse_kernel_sockets(std::string_view text);

}  // namespace scrollgate::bench
