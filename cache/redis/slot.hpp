// The slot of a key in a cluster (redis.io/docs/reference/cluster-spec, "Key distribution model").
#pragma once

#include <cstdint>
#include <string_view>

namespace scrollgate::redis {

inline constexpr std::uint16_t slots = 16'384;

/// CRC16 of the XMODEM kind. Any thread.
[[nodiscard]] std::uint16_t crc16(std::string_view bytes) noexcept;

/// Of what stands between the first '{' and the next '}', if that is something; else of the whole
/// key. Any thread.
[[nodiscard]] std::uint16_t slot_of(std::string_view key) noexcept;

}  // namespace scrollgate::redis
