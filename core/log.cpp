#include "core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace scrollgate::log {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = spdlog::stderr_logger_mt("scrollgate");
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) noexcept {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

void set_level(Level level) noexcept {
    logger().set_level(to_spdlog(level));
}

void write(Level level, std::string_view message) noexcept {
    logger().log(to_spdlog(level), message);
}

}  // namespace scrollgate::log
