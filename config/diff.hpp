// What a reload cannot change.
#pragma once

#include <string>
#include <vector>

#include "config/model.hpp"

namespace scrollgate::config {

/// One line for each key that differs and needs a restart: workers, frequency, self.node,
/// cache.redis, admin and its token_file and probes. Everything else can be reloaded. Any thread.
[[nodiscard]] std::vector<std::string> not_reloadable(const Config& running, const Config& next);
/// Gives those keys of `next` their values in `running`, so that it says what is in force from now
/// on, and the reload after it is compared with that. Any thread.
void keep_in_force(const Config& running, Config& next);

}  // namespace scrollgate::config
