#include "config/diff.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/redis_url.hpp"
#include "config/scalars.hpp"

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

std::string tls_text(const RedisTls& tls) {
    std::string text = " tls (ca " + tls.ca;
    if (!tls.server_name.empty()) text += ", server_name " + tls.server_name;
    if (!tls.verify) text += ", verify false";
    if (!tls.cert.empty()) text += fmt::format(", cert {}, key {}", tls.cert, tls.key);
    return text + ")";
}

std::string_view cluster_text(Redis::Cluster cluster) noexcept {
    switch (cluster) {
        case Redis::Cluster::on:
            return " cluster on";
        case Redis::Cluster::off:
            return " cluster off";
        default:
            return "";
    }
}

/// The connections to Redis are made once; only what stands in password_file may change.
std::string redis_text(const Config& config) {
    if (!config.cache.redis) return "off";
    const Redis& redis = *config.cache.redis;
    std::string text;
    if (redis.url) text = shown(*redis.url);
    for (const HostPort& node : redis.nodes)
        text += fmt::format(" {}:{}", node.host, node.port);
    text += cluster_text(redis.cluster);
    if (redis.sentinel) {
        text += fmt::format(" sentinel {} database {}", redis.sentinel->master, redis.database);
        for (const HostPort& node : redis.sentinel->nodes)
            text += fmt::format(" {}:{}", node.host, node.port);
    }
    if (redis.from_replicas) text += " read_from replica";
    if (!redis.username.empty()) text += " username " + redis.username;
    if (!redis.password_file.empty()) text += " password_file " + redis.password_file;
    if (redis.tls) text += tls_text(*redis.tls);
    for (const RedisUrl& url : redis.purge_log)
        text += " purge_log " + shown(url);
    return fmt::format("{} (prefix {}, timeout {}, max_object {}, queue {} of {})", text,
                       redis.prefix, duration_text(redis.timeout), size_text(redis.max_object),
                       redis.queue_commands, size_text(redis.queue_bytes));
}

/// All that is written in the file; to be compared, never shown.
std::vector<std::string_view> redis_passwords(const Config& config) {
    std::vector<std::string_view> all;
    if (!config.cache.redis) return all;
    const Redis& redis = *config.cache.redis;
    all.push_back(redis.password);
    all.push_back(redis.url ? std::string_view(redis.url->password) : std::string_view());
    for (const RedisUrl& url : redis.purge_log)
        all.push_back(url.password);
    return all;
}

}  // namespace

std::vector<std::string> not_reloadable(const Config& running, const Config& next) {
    Differences differences;
    differences.compare("workers", workers_text(running), workers_text(next));
    differences.compare("frequency", fmt::format("{}", running.frequency),
                        fmt::format("{}", next.frequency));
    const auto node = [](const Config& c) { return c.self.node.empty() ? "random" : c.self.node; };
    differences.compare("self.node", node(running), node(next));
    const std::vector<std::string_view> was = redis_passwords(running), is = redis_passwords(next);
    const bool other_password = was.size() == is.size() && was != is;
    differences.compare("cache.redis", redis_text(running),
                        redis_text(next) + (other_password ? ", another password" : ""));
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

void keep_in_force(const Config& running, Config& next) {
    next.workers = running.workers;
    next.frequency = running.frequency;
    next.self.node = running.self.node;
    next.cache.redis = running.cache.redis;
    next.admin = running.admin;
}

}  // namespace scrollgate::config
