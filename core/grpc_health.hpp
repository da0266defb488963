// The two messages of grpc.health.v1.Health/Check, each as the one message of its HTTP body: a
// prefix of five bytes and a few bytes of protobuf, read and written by hand.
//
//     message HealthCheckRequest { string service = 1; }
//     message HealthCheckResponse { ServingStatus status = 1; }
//
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace scrollgate::grpc {

inline constexpr std::string_view health_check_path = "/grpc.health.v1.Health/Check";

/// What a server says of a service; numbers as on the wire.
enum class Serving : std::uint8_t { unknown, serving, not_serving, service_unknown };

/// "NOT_SERVING"; "UNKNOWN" for what is none.
[[nodiscard]] std::string_view name(Serving serving) noexcept;

/// The body of a request; `service` may be empty, which asks about the server as a whole.
[[nodiscard]] std::string health_request(std::string_view service);

/// What the whole body of a response says; nothing if it is not exactly one message that is not
/// compressed, or no protobuf. Unknown fields are passed over, an unknown value is `unknown`.
[[nodiscard]] std::optional<Serving> health_response(std::string_view body) noexcept;

}  // namespace scrollgate::grpc
