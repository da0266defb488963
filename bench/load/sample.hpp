// What one request taught: the words in which all figures are kept.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace scrollgate::bench {

/// How a response came about, by the last member of Cache-Status (RFC 9211), the cache nearest to
/// us. `none`: there is no such field.
enum class CacheResult : std::uint8_t { none, hit, stale, miss, bypass };
inline constexpr std::size_t cache_results = 5;
[[nodiscard]] std::string_view name_of(CacheResult result) noexcept;
[[nodiscard]] CacheResult cache_result_from(std::string_view cache_status) noexcept;

/// Why a request failed.
enum class Failure : std::uint8_t {
    refused,            ///< nobody listens
    connect_timeout,    ///< no connection within --timeout
    connect_failed,     ///< any other trouble on the way to a connection
    tls,                ///< no handshake, a certificate not believed, or an alert later on
    reset,              ///< the peer reset the connection
    closed,             ///< the connection ended before a byte of the response
    truncated,          ///< … in the middle of it
    timeout,            ///< no complete response within --timeout
    malformed,          ///< not HTTP
    unexpected_status,  ///< complete, but not of --expect-status
    wrong_length,       ///< complete, but not of --expect-length
    wrong_body,         ///< complete, but not of --expect-sha256
};
inline constexpr std::size_t failures = 12;
/// "refused", "connect_timeout", …: the words of JSON and of --fail-if.
[[nodiscard]] std::string_view name_of(Failure failure) noexcept;

/// Values of the --by field that are told apart; further ones share the last number.
inline constexpr std::size_t groups_max = 32;

/// One finished request.
struct Sample {
    TimePoint intended;              ///< when it should have been sent; closed loop: `sent`
    TimePoint sent;                  ///< when its first byte was handed to the kernel
    TimePoint done;                  ///< when its last byte, or its failure, had come
    std::uint16_t status = 0;        ///< 0: no response head
    std::optional<Failure> failure;  ///< complete responses that were not as expected fail, too
    CacheResult cache = CacheResult::none;
    /// What was done for it before it was sent; not told over HTTP/2.
    enum class Handshake : std::uint8_t { none, full, resumed } handshake = Handshake::none;
    std::uint8_t method = 0;  ///< index into the plan's methods
    std::uint8_t group = 0;   ///< below groups_max, of the run's groups (--by); 0: no such field
    std::uint64_t bytes_in = 0, bytes_out = 0;

    /// A whole response came, as expected or not.
    [[nodiscard]] bool complete() const noexcept {
        return !failure || *failure >= Failure::unexpected_status;
    }
};

}  // namespace scrollgate::bench
