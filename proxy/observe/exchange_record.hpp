// ExchangeRecord: everything that log and metrics say about one exchange. Filled on the way,
// observed exactly once at its end, on its worker.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "balancer/endpoint.hpp"
#include "core/clock.hpp"
#include "core/grpc.hpp"
#include "core/message.hpp"

namespace scrollgate {

/// What a route's cache did for a request.
enum class CacheResult : std::uint8_t {
    none,   ///< the route has none, or it was not asked
    hit,    ///< answered from it without waiting for an origin, fresh or within its grace
    stale,  ///< answered from it, because the origin failed or was slow, or the client takes it so
    miss,   ///< waited for the origin: filled or validated
    pass,   ///< went past it
};
inline constexpr std::size_t cache_results = 5;

struct ExchangeRecord {
    /// A client's request, or a background exchange that fills the cache.
    enum class Kind : std::uint8_t { request, fill };

    Kind kind = Kind::request;
    TimePoint started{};  ///< first byte of the request
    TimePoint ended{};
    WallTime wall{};          ///< wall time of `ended`
    std::string_view client;  ///< IP text of the client (behind trusted proxies: theirs)
    std::string_view method, host, path;  ///< path with query, as received; empty if unparsed
    Version version = Version::http11;
    std::string_view referer, user_agent;
    std::string_view request_id;
    std::uint16_t status = 0;          ///< sent to the client; 499 if it was gone before
    std::optional<grpc::Status> grpc;  ///< how a gRPC call ended; nothing: no call, or unsaid
    std::uint64_t bytes_in = 0;        ///< request body bytes received (after decoding)
    std::uint64_t bytes_out = 0;       ///< response body bytes sent (before coding)
    std::size_t route = npos;          ///< index in the snapshot; npos: no route
    std::string_view route_name;
    const Endpoint* endpoint = nullptr;  ///< of the last attempt; null: none was made
    std::uint32_t attempts = 0;
    std::uint32_t hedges = 0;  ///< of these: made beside another one (hedges, raced connects)
    bool hedge_won = false;    ///< and such a one gave the answer
    Duration connect{-1};      ///< of the last attempt; 0 = reused, -1 = none
    Duration first_byte{-1};   ///< request start to upstream's final head; -1 = none
    CacheResult cache = CacheResult::none;
    bool collapsed = false;         ///< another request's fill gave the answer
    std::string_view cache_status;  ///< Cache-Status of this hop; empty: the route has no cache
    /// "ok", "redirect", "respond", "tunnel" or an Error's reason.
    std::string_view outcome = "ok";

    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

}  // namespace scrollgate
