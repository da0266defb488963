// JSON laid out for people: what fits on a line stands on one, the rest is indented.
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace scrollgate::bench {

/// `value` as text and a line break. Doubles are written in their shortest form that reads back as
/// the same number, with a point or an exponent; they are finite. Any thread.
[[nodiscard]] std::string json_layout(const boost::json::value& value);

}  // namespace scrollgate::bench
