// The cache in the status for people: how full, how good, and whether more memory would pay.
#pragma once

#include <string>

#include <boost/json/object.hpp>

namespace scrollgate {

/// Two or three lines about the `cache` of the status, or none if no route has used it. Throws
/// std::exception if it is not of the known shape.
[[nodiscard]] std::string cache_lines(const boost::json::object& cache);

/// "Should I buy more cache?" by the miss-ratio curve, in a sentence; empty: it is not known.
[[nodiscard]] std::string cache_advice(const boost::json::object& cache);

}  // namespace scrollgate
