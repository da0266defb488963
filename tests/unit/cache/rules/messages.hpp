// Messages and times in short words, for the tests of the rules. Views: literals only.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

#include "cache/rules/storing.hpp"
#include "core/message.hpp"

namespace scrollgate::test {

using Pairs = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline HeaderList fields(Pairs pairs) {
    HeaderList list;
    for (const auto& [name, value] : pairs)
        list.add(name, value);
    return list;
}

inline RequestHead get(Pairs pairs = {}) {
    RequestHead head;
    head.authority = "example.com";
    head.fields = fields(pairs);
    return head;
}

inline ResponseHead response(std::uint16_t status, Pairs pairs) {
    ResponseHead head;
    head.status = status;
    head.fields = fields(pairs);
    return head;
}

/// Sun, 06 Nov 1994 08:49:37 GMT.
inline constexpr std::int64_t then = 784'111'777;
inline constexpr std::string_view then_text = "Sun, 06 Nov 1994 08:49:37 GMT";
inline constexpr std::string_view hour_later = "Sun, 06 Nov 1994 09:49:37 GMT";
inline constexpr std::string_view hour_before = "Sun, 06 Nov 1994 07:49:37 GMT";

/// Received at `then`, `delay` after it was asked for.
inline Received received(std::chrono::milliseconds delay = {}) {
    const TimePoint at{std::chrono::hours(1000)};
    return {at - delay, at, WallTime{std::chrono::seconds(then)}};
}

/// A route as configured by default, with nothing granted by itself.
inline config::RouteCache plain_route() {
    config::RouteCache route;
    route.enabled = true;
    route.partition = "r";
    route.stale_if_error = std::nullopt;
    return route;
}

}  // namespace scrollgate::test
