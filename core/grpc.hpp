// gRPC's own words within HTTP/2, as far as a proxy has to know them: who speaks it, how a call
// ended, how long it may take ("gRPC over HTTP2" and "Statuscodes" of the grpc project).
//
// Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace scrollgate::grpc {

/// How a call ended; numbers as on the wire.
enum class Status : std::uint8_t {
    ok,
    cancelled,
    unknown,
    invalid_argument,
    deadline_exceeded,
    not_found,
    already_exists,
    permission_denied,
    resource_exhausted,
    failed_precondition,
    aborted,
    out_of_range,
    unimplemented,
    internal,
    unavailable,
    data_loss,
    unauthenticated,
};
inline constexpr std::size_t statuses = static_cast<std::size_t>(Status::unauthenticated) + 1;

/// "unavailable": as configuration and metrics write it.
[[nodiscard]] std::string_view name(Status status) noexcept;
/// The number, as grpc-status has it: "14".
[[nodiscard]] std::string_view digits(Status status) noexcept;
/// From the value of grpc-status; `unknown` for what is none, as clients take it.
[[nodiscard]] Status status_from(std::string_view text) noexcept;

/// The media type of a gRPC message: "application/grpc", alone or with a "+format" or parameters.
/// Not that of gRPC-Web, which is not spoken by HTTP/2's rules.
[[nodiscard]] bool is_content_type(std::string_view text) noexcept;

/// From the value of grpc-timeout: 1 to 8 digits and a unit (H M S m u n). Nothing if malformed;
/// no_limit for more than a hundred years.
[[nodiscard]] std::optional<Duration> timeout_from(std::string_view text) noexcept;
/// The value of grpc-timeout for `left`, in the finest unit that has room for it, rounded down;
/// valid while `storage` is. Not negative.
[[nodiscard]] std::string_view timeout_text(Duration left, std::array<char, 9>& storage) noexcept;

}  // namespace scrollgate::grpc
