// The status for people: a few lines and aligned tables.
#pragma once

#include <string>

#include <boost/json/object.hpp>

namespace scrollgate {

/// Lays out the object of `GET /api/v1/status`. Throws std::exception if it is not of that shape.
[[nodiscard]] std::string status_table(const boost::json::object& status, bool colour);

}  // namespace scrollgate
