// What only the whole section, and the files it names, can tell about Redis.
#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>

#include <fmt/format.h>

#include "config/redis_url.hpp"
#include "config/scalars.hpp"
#include "config/validate.hpp"

namespace scrollgate::config {

void Validator::redis() {
    if (!config_.cache.redis || reported("cache.redis")) return;
    const Redis& redis = *config_.cache.redis;
    const std::string path = "cache.redis";
    if (config_.cache.memory == 0) error(path, "cache: off leaves nothing in front of it");
    if (!redis.url && !redis.sentinel)
        error(path, "url is missing (or sentinel: who knows where the master is)");
    if (redis.url && redis.sentinel)
        error(path + ".sentinel", "sentinel and url are two ways to say where Redis is; take one");
    redis_set(redis, path);
    redis_secrets(redis, path);
    redis_tls(redis, path);
    redis_purge_log(redis, path);
    const Duration tick = std::chrono::nanoseconds(std::chrono::seconds(1)) / config_.frequency;
    if (redis.timeout < tick)
        warning(path + ".timeout",
                fmt::format("{} is less than a tick of frequency ({:.1f}ms), which it takes",
                            duration_text(redis.timeout), seconds_of(tick) * 1000));
    if (redis.max_object > redis.queue_bytes / 2)
        error(path + ".max_object",
              fmt::format("{} is more than half of queue.bytes ({}), which is all that may wait to "
                          "be stored",
                          size_text(redis.max_object), size_text(redis.queue_bytes)));
}

/// A server, a set with sentinels, or a cluster.
void Validator::redis_set(const Redis& redis, const std::string& path) {
    using Cluster = Redis::Cluster;
    if (redis.sentinel) {
        if (redis.sentinel->nodes.empty())
            error(path + ".sentinel.nodes", "at least one sentinel is needed");
        if (!redis.nodes.empty()) error(path + ".nodes", "belongs to a cluster, not to sentinel");
        if (redis.cluster == Cluster::on)
            error(path + ".cluster", "a cluster has no sentinels; give url instead");
        return;
    }
    if (redis.database != 0) error(path + ".database", "stands in url: redis://host:6379/1");
    if (!redis.nodes.empty() && redis.cluster == Cluster::off)
        error(path + ".nodes", "belongs to a cluster, and cluster is false");
    if (redis.from_replicas && redis.cluster == Cluster::off)
        error(path + ".read_from", "replicas are known of clusters and of sentinels only");
    if (redis.cluster == Cluster::on && redis.url && redis.url->database != 0)
        error(path + ".url", "a cluster has database 0 only");
}

void Validator::redis_secrets(const Redis& redis, const std::string& path) {
    const bool in_url = redis.url && !redis.url->password.empty();
    if (!redis.password.empty() && !redis.password_file.empty())
        error(path + ".password_file", "password and password_file: take one");
    if (in_url && (!redis.password.empty() || !redis.password_file.empty()))
        error(path + (redis.password.empty() ? ".password_file" : ".password"),
              "url holds a password already");
    const bool named = !redis.username.empty() || (redis.url && !redis.url->username.empty());
    if (named && !in_url && redis.password.empty() && redis.password_file.empty())
        error(path + (redis.username.empty() ? ".url" : ".username"),
              "a user needs password or password_file");
    if (!redis.username.empty() && redis.url && !redis.url->username.empty())
        error(path + ".username", "url names a user already");
}

void Validator::redis_tls(const Redis& redis, const std::string& path) {
    if (!redis.tls) return;
    const auto over_tls = [](const RedisUrl& url) { return url.tls; };
    const bool any = redis.sentinel || (redis.url && redis.url->tls) ||
                     std::any_of(redis.purge_log.begin(), redis.purge_log.end(), over_tls);
    if (!any) error(path + ".tls", "has no effect on redis://; write rediss://");
    if (redis.tls->cert.empty() != redis.tls->key.empty())
        error(path + ".tls" + (redis.tls->cert.empty() ? ".key" : ".cert"),
              "cert and key belong together");
    if (!redis.tls->verify)
        warning(path + ".tls.verify",
                "false: anybody on the way can pretend to be Redis, and hear the password; use ca");
}

/// By name alone: nothing is resolved.
void Validator::redis_purge_log(const Redis& redis, const std::string& path) {
    const auto place = [](const std::string& host, std::uint16_t port, std::uint32_t database) {
        return fmt::format("{} {} {}", in_lower_case(host), port, database);
    };
    const auto of_url = [&](const RedisUrl& url) {
        return place(url.host, url.port, url.database);
    };
    std::map<std::string, std::string> known;
    if (redis.url) known.emplace(of_url(*redis.url), "is the Redis of this fleet (url)");
    for (const HostPort& node : redis.nodes)
        known.emplace(place(node.host, node.port != 0 ? node.port : RedisUrl().port, 0),
                      "is a node of this fleet's cluster (nodes)");
    for (std::size_t i = 0; i < redis.purge_log.size(); ++i) {
        const auto [same, added] =
            known.emplace(of_url(redis.purge_log[i]), fmt::format("is purge_log[{}] already", i));
        if (!added)
            error(fmt::format("{}.purge_log[{}]", path, i),
                  fmt::format("{} {}; list those of other clouds, each once",
                              shown(redis.purge_log[i]), same->second));
    }
}

void Validator::redis_files() {
    if (!config_.cache.redis) return;
    const Redis& redis = *config_.cache.redis;
    if (redis.tls) {
        try {
            const TlsClientContext good(redis.tls->client());
        } catch (const std::runtime_error& wrong) {
            error("cache.redis.tls", wrong.what());
        }
    }
    if (redis.password_file.empty()) return;
    std::ifstream in(redis.password_file, std::ios::binary);
    std::string line;
    const auto blank = [](char c) { return c == '\r' || c == '\n'; };
    while (line.empty() && std::getline(in, line))
        std::erase_if(line, blank);
    if (line.empty())
        error("cache.redis.password_file",
              fmt::format("{} cannot be read, or is empty", redis.password_file));
}

}  // namespace scrollgate::config
