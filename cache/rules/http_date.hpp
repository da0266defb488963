// HTTP-date (RFC 9110 section 5.6.7): IMF-fixdate, and the obsolete RFC 850 and asctime forms.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/clock.hpp"

namespace scrollgate {

/// What the clock says, as dates are counted here: whole seconds since 1970 UTC.
[[nodiscard]] constexpr std::int64_t unix_seconds(WallTime wall) noexcept {
    return std::chrono::floor<std::chrono::seconds>(wall.time_since_epoch()).count();
}

/// Seconds since 1970 UTC; nothing if it is no date that exists. A two-digit year is taken as at
/// most 50 years ahead of `now`, seconds since 1970. Day names are checked for form only.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(std::string_view text,
                                                          std::int64_t now) noexcept;

}  // namespace scrollgate
