#include "config/diff.hpp"

#include <string_view>

#include <fmt/format.h>

#include "config/redis_url.hpp"

namespace scrollgate::config {
namespace {

class Differences {
  public:
    void compare(std::string_view key, const std::string& was, const std::string& is) {
        if (was != is)
            lines_.push_back(fmt::format("{}: {} stays in force; {} needs a restart of the process",
                                         key, was, is));
    }
    [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

  private:
    std::vector<std::string> lines_;
};

std::string workers_text(const Config& config) {
    return config.workers == 0 ? "auto" : fmt::format("{}", config.workers);
}

/// The connections to Redis are made once; their password may change.
std::string redis_text(const Config& config) {
    if (!config.cache.redis) return "off";
    const Redis& redis = *config.cache.redis;
    std::string text;
    if (redis.url) text = shown(*redis.url);
    for (const HostPort& node : redis.nodes)
        text += fmt::format(" {}:{}", node.host, node.port);
    if (redis.sentinel) text += " sentinel " + redis.sentinel->master;
    for (const RedisUrl& url : redis.purge_log)
        text += " purge_log " + shown(url);
    return fmt::format("{} (prefix {}, timeout {}, max_object {}, queue {} of {} bytes)", text,
                       redis.prefix, redis.timeout.count(), redis.max_object, redis.queue_commands,
                       redis.queue_bytes);
}

}  // namespace

std::vector<std::string> not_reloadable(const Config& running, const Config& next) {
    Differences differences;
    differences.compare("workers", workers_text(running), workers_text(next));
    differences.compare("frequency", fmt::format("{}", running.frequency),
                        fmt::format("{}", next.frequency));
    const auto node = [](const Config& c) { return c.self.node.empty() ? "random" : c.self.node; };
    differences.compare("self.node", node(running), node(next));
    differences.compare("cache.redis", redis_text(running), redis_text(next));
    if (!running.admin || !next.admin) {
        const auto admin = [](const Config& c) { return c.admin ? c.admin->address : "off"; };
        differences.compare("admin", admin(running), admin(next));
        return differences.take();
    }
    differences.compare("admin.address", running.admin->bind.text(), next.admin->bind.text());
    differences.compare("admin.token_file", running.admin->token_file, next.admin->token_file);
    const auto probes = [](const Admin& a) { return a.probes ? a.probes->text() : "none"; };
    differences.compare("admin.probes", probes(*running.admin), probes(*next.admin));
    return differences.take();
}

}  // namespace scrollgate::config
