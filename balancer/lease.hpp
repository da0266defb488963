// Lease and ConnectionToken: the counts of requests in flight and of open connections, owned.
//
// Whoever holds one has been counted; letting go of it, on any path, uncounts. Both keep the limits
// of pool and endpoint over all workers: a count goes up by compare-and-swap and never beyond its
// limit. Requests in flight are counted for the pool only while it has a limit on them: each would
// dirty a line that all workers share.
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

/// Whose limit leaves no room.
enum class Limit : std::uint8_t { none, endpoint, pool };

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

/// Adds one to both, or to neither. `of_pool` may be null.
[[nodiscard]] inline Limit count_up_both(std::atomic<std::uint32_t>& of_endpoint,
                                         std::uint64_t endpoint_limit,
                                         std::atomic<std::uint32_t>* of_pool,
                                         std::uint64_t pool_limit) noexcept {
    if (!count_up(of_endpoint, endpoint_limit)) return Limit::endpoint;
    if (of_pool == nullptr || count_up(*of_pool, pool_limit)) return Limit::none;
    count_down(of_endpoint);
    return Limit::pool;
}

}  // namespace detail

/// One attempt's claim on an endpoint.
class Lease {
  public:
    Lease() noexcept = default;  ///< holds nothing

    /// Nothing if the endpoint or its pool has its limit of requests in flight already; `reached`,
    /// if not null, tells which. The endpoint must outlive the lease: hold what it was picked from
    /// (RouteBalancer::targets()). Requests that began before a reload first set a pool's limit do
    /// not count towards it.
    [[nodiscard]] static std::optional<Lease> try_acquire(const Endpoint& endpoint,
                                                          Limit* reached = nullptr) noexcept {
        const bool limited = endpoint.limits.in_flight != limits::unlimited;
        PoolState* const pool = limited ? endpoint.pool_state.get() : nullptr;
        const Limit limit = detail::count_up_both(
            endpoint.state->in_flight, endpoint.limits.endpoint.in_flight,
            pool != nullptr ? &pool->in_flight : nullptr, endpoint.limits.in_flight);
        if (reached != nullptr) *reached = limit;
        if (limit != Limit::none) return std::nullopt;
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

    /// Nothing if the endpoint or its pool has its limit of connections already; `reached`, if not
    /// null, tells which.
    [[nodiscard]] static std::optional<ConnectionToken> try_acquire(
        const Endpoint& endpoint, Limit* reached = nullptr) noexcept {
        const Limit limit =
            detail::count_up_both(endpoint.state->connections, endpoint.limits.endpoint.connections,
                                  &endpoint.pool_state->connections, endpoint.limits.connections);
        if (reached != nullptr) *reached = limit;
        if (limit != Limit::none) return std::nullopt;
        return ConnectionToken(endpoint.state, endpoint.pool_state);
    }

    ConnectionToken(ConnectionToken&& other) noexcept = default;
    ConnectionToken& operator=(ConnectionToken&& other) noexcept {
        if (this == &other) return *this;
        release();
        state_ = std::move(other.state_);
        pool_ = std::move(other.pool_);
        return *this;
    }
    ~ConnectionToken() { release(); }

    /// Gives the token back; does nothing if there is none.
    void release() noexcept {
        if (!state_) return;
        detail::count_down(state_->connections);
        detail::count_down(pool_->connections);
        state_.reset();
        pool_.reset();
    }

    [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }

  private:
    ConnectionToken(std::shared_ptr<EndpointState> state, std::shared_ptr<PoolState> pool) noexcept
        : state_(std::move(state)), pool_(std::move(pool)) {}

    std::shared_ptr<EndpointState> state_;
    std::shared_ptr<PoolState> pool_;
};

}  // namespace scrollgate
