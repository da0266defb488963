#include "cache/redis/settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "core/log.hpp"

namespace scrollgate::redis {
namespace {

constexpr std::uint16_t sentinel_port = 26'379, redis_port = 6379;

NodeName named(const HostPort& place, std::uint16_t port) {
    return {place.host, place.port != 0 ? place.port : port};
}

std::shared_ptr<Settings> common(const config::Redis& redis, bool tls) {
    auto settings = std::make_shared<Settings>();
    settings->timeout = redis.timeout;
    settings->queue_commands = redis.queue_commands;
    settings->queue_bytes = redis.queue_bytes;
    if (tls) {
        const config::RedisTls options = redis.tls.value_or(config::RedisTls{});
        settings->tls = std::make_shared<const TlsClientContext>(options.client());
        settings->server_name = options.server_name;
    }
    return settings;
}

void take_url(Settings& settings, const config::RedisUrl& url) {
    settings.seeds.push_back({url.host, url.port});
    settings.database = url.database;
    settings.shown =
        fmt::format("{}://{}{}", url.tls ? "rediss" : "redis", settings.seeds.front().text(),
                    url.database == 0 ? "" : fmt::format("/{}", url.database));
}

}  // namespace

std::string NodeName::text() const {
    if (port == 0) return host;
    const bool v6 = host.find(':') != host.npos;
    return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::shared_ptr<const Settings> make_settings(const config::Redis& redis) {
    const bool tls = redis.url ? redis.url->tls : redis.tls.has_value();
    std::shared_ptr<Settings> settings = common(redis, tls);
    settings->cluster = redis.cluster;
    settings->from_replicas = redis.from_replicas;
    if (redis.sentinel) {
        settings->sentinel_master = redis.sentinel->master;
        for (const HostPort& node : redis.sentinel->nodes)
            settings->seeds.push_back(named(node, sentinel_port));
        settings->database = redis.database;
        settings->shown = fmt::format("sentinel {}", redis.sentinel->master);
    } else if (redis.url) {
        take_url(*settings, *redis.url);
        for (const HostPort& node : redis.nodes)
            settings->seeds.push_back(named(node, redis_port));
    }
    return settings;
}

std::shared_ptr<const Settings> make_settings(const config::Redis& redis,
                                              const config::RedisUrl& url, Duration timeout) {
    std::shared_ptr<Settings> settings = common(redis, url.tls);
    settings->server_name.clear();
    settings->timeout = timeout;
    take_url(*settings, url);
    return settings;
}

CredentialSource::CredentialSource(const config::Redis& redis)
    : present_{redis.username, redis.password}, file_(redis.password_file) {
    if (redis.url) {
        if (present_.username.empty()) present_.username = redis.url->username;
        if (present_.password.empty()) present_.password = redis.url->password;
    }
    look();
}

CredentialSource::CredentialSource(const config::Redis& redis, const config::RedisUrl& url)
    : present_{url.username, url.password} {
    if (!url.password.empty()) return;
    const CredentialSource first(redis);
    const std::string username = present_.username;
    present_ = first.present_;
    if (!username.empty()) present_.username = username;
    file_ = first.file_;
    read_mtime_ = first.read_mtime_;
    read_inode_ = first.read_inode_;
}

bool CredentialSource::look() {
    if (file_.empty()) return false;
    struct ::stat facts {};
    std::string password;
    const auto complain = [this](const char* why) {
        if (!complained_) log::warn("cache.redis.password_file: {}: {}", file_, why);
        complained_ = true;
        return false;
    };
    if (::stat(file_.c_str(), &facts) != 0) return complain(std::strerror(errno));
    const bool same = facts.st_mtim.tv_sec == read_mtime_.tv_sec &&
                      facts.st_mtim.tv_nsec == read_mtime_.tv_nsec && facts.st_ino == read_inode_;
    if (same) return false;
    std::ifstream in(file_, std::ios::binary);
    password.resize(limits::redis_password + 1);
    in.read(password.data(), static_cast<std::streamsize>(password.size()));
    password.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (in.bad() || !in.is_open()) return complain("it cannot be read");
    if (password.size() > limits::redis_password) return complain("it is too long for a password");
    while (!password.empty() && (password.back() == '\n' || password.back() == '\r'))
        password.pop_back();
    // Written anew at this moment: the next look finds it whole.
    if (password.empty()) return complain("it is empty");
    read_mtime_ = facts.st_mtim;
    read_inode_ = facts.st_ino;
    complained_ = false;
    if (password == present_.password) return false;
    present_.password = std::move(password);
    return true;
}

}  // namespace scrollgate::redis
