// Lease and ConnectionToken: the counts of requests in flight and of open connections, owned.
//
// Whoever holds one has been counted; letting go of it, on any path, uncounts. Both keep the
// pool's limits over all workers: a count goes up by compare-and-swap and never beyond its limit.
// Any thread; a single Lease or token belongs to one worker.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "balancer/endpoint.hpp"

namespace scrollgate {

namespace detail {

/// Adds one unless `count` has reached `limit`.
[[nodiscard]] inline bool count_up(std::atomic<std::uint32_t>& count,
                                   std::uint64_t limit) noexcept {
    if (limit == limits::unlimited) {
        count.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    std::uint32_t seen = count.load(std::memory_order_relaxed);
    do {
        if (seen >= limit) return false;
    } while (!count.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed));
    return true;
}

inline void count_down(std::atomic<std::uint32_t>& count) noexcept {
    [[maybe_unused]] const std::uint32_t before = count.fetch_sub(1, std::memory_order_relaxed);
    assert(before > 0 && "what is given back was counted once");
}

}  // namespace detail

/// One attempt's claim on an endpoint.
class Lease {
  public:
    Lease() noexcept = default;  ///< holds nothing

    /// Nothing if the endpoint's pool has `limits.in_flight` requests out already. The endpoint
    /// must outlive the lease: hold what it was picked from (RouteBalancer::targets()). Requests
    /// that began before a reload first set a limit do not count towards it.
    [[nodiscard]] static std::optional<Lease> try_acquire(const Endpoint& endpoint) noexcept {
        const bool limited = endpoint.limits.in_flight != limits::unlimited;
        PoolState* pool = limited ? endpoint.pool_state.get() : nullptr;
        if (pool != nullptr && !detail::count_up(pool->in_flight, endpoint.limits.in_flight)) {
            return std::nullopt;
        }
        endpoint.state->in_flight.fetch_add(1, std::memory_order_relaxed);
        return Lease(&endpoint, pool);
    }

    Lease(Lease&& other) noexcept
        : endpoint_(std::exchange(other.endpoint_, nullptr)),
          pool_(std::exchange(other.pool_, nullptr)) {}
    Lease& operator=(Lease&& other) noexcept {
        if (this == &other) return *this;
        release();
        endpoint_ = std::exchange(other.endpoint_, nullptr);
        pool_ = std::exchange(other.pool_, nullptr);
        return *this;
    }
    ~Lease() { release(); }

    /// Gives the claim back; does nothing if there is none.
    void release() noexcept {
        if (endpoint_ != nullptr) detail::count_down(endpoint_->state->in_flight);
        if (pool_ != nullptr) detail::count_down(pool_->in_flight);
        endpoint_ = nullptr;
        pool_ = nullptr;
    }

    [[nodiscard]] explicit operator bool() const noexcept { return endpoint_ != nullptr; }
    /// The endpoint, or null if nothing is held.
    [[nodiscard]] const Endpoint* endpoint() const noexcept { return endpoint_; }

  private:
    Lease(const Endpoint* endpoint, PoolState* pool) noexcept : endpoint_(endpoint), pool_(pool) {}

    const Endpoint* endpoint_ = nullptr;
    PoolState* pool_ = nullptr;  ///< null while the pool has no limit on requests in flight
};

/// One open (or opening) upstream connection. Outlives its Endpoint, because idle connections do.
class ConnectionToken {
  public:
    ConnectionToken() noexcept = default;  ///< holds nothing

    /// Nothing if the endpoint has `limits.connections` already, over all workers.
    [[nodiscard]] static std::optional<ConnectionToken> try_acquire(
        const Endpoint& endpoint) noexcept {
        if (!detail::count_up(endpoint.state->connections, endpoint.limits.connections)) {
            return std::nullopt;
        }
        return ConnectionToken(endpoint.state);
    }

    ConnectionToken(ConnectionToken&& other) noexcept = default;
    ConnectionToken& operator=(ConnectionToken&& other) noexcept {
        if (this == &other) return *this;
        release();
        state_ = std::move(other.state_);
        return *this;
    }
    ~ConnectionToken() { release(); }

    /// Gives the token back; does nothing if there is none.
    void release() noexcept {
        if (state_) detail::count_down(state_->connections);
        state_.reset();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

  private:
    explicit ConnectionToken(std::shared_ptr<EndpointState> state) noexcept
        : state_(std::move(state)) {}

    std::shared_ptr<EndpointState> state_;
};

}  // namespace scrollgate
