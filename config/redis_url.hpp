// The URL of a Redis: redis://[user[:password]@]host[:port][/database], rediss:// over TLS. What
// is wrong is told without the text, which may hold a password. Stateless, any thread.
#pragma once

#include <string>

#include "config/model.hpp"
#include "config/scalars.hpp"

namespace scrollgate::config {

[[nodiscard]] Parsed<RedisUrl> parse_redis_url(const std::string& text);

/// As it may be shown: "(hidden)" for the password.
[[nodiscard]] std::string shown(const RedisUrl& url);

}  // namespace scrollgate::config
