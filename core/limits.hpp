// Every default and every ceiling of the program, in one place, so that "a bound on everything" can
// be audited. Configuration may choose within [min, max]; what has no key is fixed here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace scrollgate::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;
/// `none` for a count or a size.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// -- messages (keys under `limits:`)
inline constexpr std::size_t header_bytes = 32 * KiB;
inline constexpr std::size_t header_bytes_max = 256 * KiB;
inline constexpr std::size_t headers = 100;
inline constexpr std::size_t headers_max = 1000;
inline constexpr std::size_t uri_bytes = 8 * KiB;
inline constexpr std::size_t uri_bytes_max = 128 * KiB;

// -- messages (fixed)
inline constexpr std::size_t chunk_line = 256;             ///< size line with its extensions
inline constexpr std::uint64_t chunk_overhead = 16 * KiB;  ///< extension bytes in one whole body
inline constexpr std::size_t trailer_bytes = 8 * KiB;
inline constexpr std::size_t trailers = 32;
inline constexpr unsigned interim_responses = 8;  ///< 1xx before one final response
inline constexpr unsigned via_hops = 8;
inline constexpr std::size_t request_id = 128;  ///< longest X-Request-Id that is kept

// -- buffers (per worker)
inline constexpr std::size_t buffer_small = 16 * KiB;  ///< heads and small bodies
inline constexpr std::size_t buffer_bulk = 256 * KiB;  ///< long bodies
static_assert(header_bytes_max <= buffer_bulk, "any allowed head fits the largest buffer");
inline constexpr std::size_t small_buffers = 64 * 1024;  ///< 1 GiB of address space
inline constexpr std::size_t bulk_buffers = 1024;        ///< 256 MiB
inline constexpr std::size_t small_buffers_kept = 256;   ///< free ones that stay resident
inline constexpr std::size_t bulk_buffers_kept = 8;

// -- timeouts (keys under `timeouts:`)
inline constexpr auto client_header = 10s;
inline constexpr auto client_idle = 75s;
inline constexpr auto client_body = 30s;
inline constexpr auto client_write = 60s;
inline constexpr auto connect = 1s;
inline constexpr auto upstream_response = 30s;
inline constexpr auto upstream_body = 60s;
inline constexpr auto upstream_idle = 30s;
inline constexpr auto tunnel_idle = 1h;
inline constexpr auto drain_delay = 0s;
inline constexpr auto drain = 30s;

// -- connections
inline constexpr auto buffer_return = 1s;  ///< an idle connection keeps its buffer this long
inline constexpr auto reuse_unsafe = 1s;   ///< idle for longer: replayable requests only
inline constexpr auto continue_wait = 1s;  ///< for an origin's 100 before we say it
inline constexpr auto loop_turn = 10ms;    ///< an event older than this has been seen
inline constexpr auto seal_wait = 1s;      ///< for handshakes under way on a closing listener
inline constexpr auto linger = 2s;         ///< reading on behind our last byte
inline constexpr std::size_t linger_bytes = 1 * MiB;
inline constexpr unsigned inline_chunks = 64;     ///< chunks relayed before others get a turn
inline constexpr unsigned inline_exchanges = 16;  ///< pipelined requests before others get a turn
inline constexpr std::size_t idle_per_endpoint = 128;  ///< idle upstream connections, per worker
inline constexpr std::uint64_t pending = 1024;  ///< requests that wait for a connection, per pool
inline constexpr auto pending_wait = 1s;        ///< longest wait for room in a full pool
inline constexpr auto pending_look = 10ms;      ///< a waiting request looks again after this
inline constexpr unsigned max_attempts = 3;
inline constexpr unsigned max_attempts_max = 10;

// -- HTTP/2 (fixed)
inline constexpr std::uint32_t http2_streams = 100;  ///< open at a time on one connection
inline constexpr std::uint32_t http2_stream_window = 256 * KiB;
inline constexpr std::uint32_t http2_connection_window = 1 * MiB;
inline constexpr std::size_t http2_answers = 1000;   ///< to SETTINGS and PING, waiting to be sent
inline constexpr unsigned http2_continuations = 64;  ///< CONTINUATION frames of one field section

// -- process
inline constexpr std::uint32_t frequency = 528;  ///< Hz of the timer wheel
inline constexpr std::uint32_t frequency_min = 10;
inline constexpr std::uint32_t frequency_max = 10'000;
inline constexpr unsigned workers_max = 256;
inline constexpr std::size_t log_ring = 1 * MiB;         ///< access log bytes waiting, per worker
inline constexpr std::size_t reserved_descriptors = 64;  ///< kept for files, admin, DNS
inline constexpr std::size_t config_bytes = 16 * MiB;    ///< longest configuration file
inline constexpr std::size_t admin_body = 16 * MiB;      ///< longest request body of the admin API
inline constexpr std::size_t admin_connections = 64;

}  // namespace scrollgate::limits
