// The operational log: few lines for people, on standard error. Not for requests (access log).
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace scrollgate::log {

enum class Level : unsigned char { debug, info, warn, error };

/// Lines below this level are not written; default info. Any thread.
void set_level(Level level) noexcept;
/// Writes one line: time, level, message. Any thread; may block on standard error.
void write(Level level, std::string_view message) noexcept;

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace scrollgate::log
