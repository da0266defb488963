// ListenerSet: the listening sockets, keyed by address, one per worker and address (SO_REUSEPORT).
//
// The set outlives Snapshots and Workers: a reload that keeps an address keeps its sockets. Control
// thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/net/address.hpp"

namespace scrollgate {

class ListenerSet {
  public:
    explicit ListenerSet(unsigned workers) noexcept : workers_(workers) {}
    ~ListenerSet();
    ListenerSet(const ListenerSet&) = delete;
    ListenerSet& operator=(const ListenerSet&) = delete;

    /// Opens the address for every worker. An empty text, or what is wrong and what to do. A port
    /// that another process listens on is refused, although SO_REUSEPORT would hide it.
    [[nodiscard]] std::string open(const SocketAddress& address);
    /// The sockets of an open address, one per worker.
    [[nodiscard]] const std::vector<int>& sockets(const SocketAddress& address) const;
    /// Open and not sealed.
    [[nodiscard]] bool has(const SocketAddress& address) const;
    /// The kernel takes no new connection for this address from now on; those that are queued can
    /// still be accepted. Without it, what comes between the last accept() and close() is reset.
    void seal(const SocketAddress& address);
    /// Closes an address. Nobody may wait on its sockets any more.
    void close(const SocketAddress& address) noexcept;
    /// All open addresses, without those that were sealed.
    [[nodiscard]] std::vector<SocketAddress> addresses() const;

  private:
    struct Entry {
        SocketAddress address;
        int lock = -1;  ///< an abstract socket: no second process takes the address
        std::vector<int> sockets;
        bool leaving = false;  ///< sealed: it closes as soon as its queue is empty
    };

    unsigned workers_;
    std::map<std::string, Entry> entries_;
};

}  // namespace scrollgate
