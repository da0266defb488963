// Admission: how many client connections there may be, in all and per address.
//
// Shared by all workers and touched only when a connection comes or goes: an atomic for the total,
// a mutex for the table of addresses, which stays empty unless limits.connections_per_ip is set.
// Connections that came before that limit was set are not in the table.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/limits.hpp"
#include "core/net/address.hpp"

namespace scrollgate {

class Admission {
  public:
    /// limits::unlimited for no limit. Connections that are there already stay. Any thread.
    void set_limits(std::uint64_t connections, std::uint64_t per_ip) noexcept {
        most_.store(connections, std::memory_order_relaxed);
        most_per_ip_.store(per_ip, std::memory_order_relaxed);
    }

    /// Counts one more connection from `peer`, unless a limit is reached. Any thread.
    [[nodiscard]] bool enter(const SocketAddress& peer) {
        const std::uint64_t before = count_.fetch_add(1, std::memory_order_relaxed);
        if (before >= most_.load(std::memory_order_relaxed) || !enter_address(peer)) {
            count_.fetch_sub(1, std::memory_order_relaxed);
            return false;
        }
        return true;
    }

    /// The connection from `peer` that entered is gone. Any thread.
    void leave(const SocketAddress& peer) {
        count_.fetch_sub(1, std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        if (by_ip_.empty()) return;
        const auto found = by_ip_.find(peer.ip());
        if (found != by_ip_.end() && --found->second == 0) by_ip_.erase(found);
    }

    /// Connections that entered and did not leave. Any thread.
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

  private:
    [[nodiscard]] bool enter_address(const SocketAddress& peer) {
        const std::uint64_t most = most_per_ip_.load(std::memory_order_relaxed);
        if (most == limits::unlimited) return true;
        const std::lock_guard lock(mutex_);
        std::uint64_t& count = by_ip_[peer.ip()];
        if (count >= most) return false;
        ++count;
        return true;
    }

    std::atomic<std::uint64_t> count_{0};
    std::atomic<std::uint64_t> most_{limits::unlimited}, most_per_ip_{limits::unlimited};
    std::mutex mutex_;
    std::unordered_map<std::string, std::uint64_t> by_ip_;
};

}  // namespace scrollgate
