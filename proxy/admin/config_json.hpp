// The effective configuration as JSON, for `GET /api/v1/config`.
#pragma once

#include <string>

#include "config/model.hpp"

namespace scrollgate {

/// Every key with its value, defaults filled in and secrets hidden: the tree of
/// config::effective_yaml(). Scalars are texts as the file would write them ("30s", "none", "2").
[[nodiscard]] std::string config_json(const config::Config& config);

}  // namespace scrollgate
