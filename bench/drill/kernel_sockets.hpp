// What the kernel knows of TCP connections: sock_diag(7), in the network namespace of a process.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/net/address.hpp"

namespace scrollgate::bench {

struct KernelSocket {
    SocketAddress local, remote;
    bool listening = false;            ///< else connected, both ways or the peer's end has come
    std::uint64_t unread = 0;          ///< bytes that came and were not read
    std::uint64_t unacknowledged = 0;  ///< bytes that were sent and not acknowledged
    std::uint64_t inode = 0;           ///< 0: nobody has accepted it yet
    /// Whose bytes were the last, to a millisecond or four: with HTTP/1, the peer waits for an
    /// answer, or we do. Neither is set if it cannot be told.
    bool peer_spoke_last = false, we_spoke_last = false;
};

class KernelSockets {
  public:
    /// In the namespace of `pid`. Throws BadInput (url.hpp) if the kernel cannot be asked there.
    explicit KernelSockets(int pid);
    ~KernelSockets();
    KernelSockets(const KernelSockets&) = delete;
    KernelSockets& operator=(const KernelSockets&) = delete;

    /// All of them at about the same time. Throws std::runtime_error.
    [[nodiscard]] std::vector<KernelSocket> all() const;

  private:
    int fd_ = -1;
};

/// Where a process takes connections.
struct ListenAddress {
    SocketAddress at;
    bool shared = false;  ///< another process takes connections there, too

    [[nodiscard]] bool takes(const SocketAddress& local) const;
};

/// Those of `pid`; empty if there are none, or if they cannot be seen.
[[nodiscard]] std::vector<ListenAddress> listen_addresses(const KernelSockets& kernel, int pid);

/// Requests on process `pid`, which has come to a halt: connections of its own, to one of
/// `addresses`, whose peer has sent something that was not read or not answered; and connections
/// with such bytes that nobody accepted, where no other process could. Of pipelined requests and
/// HTTP/2 streams a connection counts once; so does an HTTP/2 connection whose peer only updated a
/// window.
[[nodiscard]] std::uint64_t requests_on(const KernelSockets& kernel, int pid,
                                        const std::vector<ListenAddress>& addresses);

/// Connections to the host of `peer` (its port, too, if that is not 0) on which something was sent
/// that was not acknowledged or not answered.
[[nodiscard]] std::uint64_t requests_towards(const KernelSockets& kernel,
                                             const SocketAddress& peer);

}  // namespace scrollgate::bench
