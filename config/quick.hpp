// A configuration without a file: `scrollgate proxy --from :8080 --to HOST:PORT`.
#pragma once

#include <string>
#include <vector>

#include "config/loader.hpp"

namespace scrollgate::config {

/// One listener, one pool, one route, written as YAML; the same text that a user would start from.
/// The arguments are not checked here, but can never be read as anything other than one scalar.
[[nodiscard]] std::string proxy_yaml(const std::string& from, const std::vector<std::string>& to);

/// proxy_yaml() loaded. Problems speak of --from and --to instead of places in a file, so print
/// them with to_text(problem, "proxy").
[[nodiscard]] Loaded default_config_for_proxy(const std::string& from,
                                              const std::vector<std::string>& to);

}  // namespace scrollgate::config
