// What a reload cannot change.
#pragma once

#include <string>
#include <vector>

#include "config/model.hpp"

namespace scrollgate::config {

/// One line for each key that differs and needs a restart: workers, frequency, admin and its
/// token_file and probes, self.node. Everything else can be reloaded. Any thread.
[[nodiscard]] std::vector<std::string> not_reloadable(const Config& running, const Config& next);

}  // namespace scrollgate::config
