#include "config/redis_url.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/schema.hpp"
#include "core/net/address.hpp"
#include "core/percent.hpp"

namespace scrollgate::config {
namespace {

constexpr unsigned most_databases = 65'535;
constexpr std::string_view example = "redis://127.0.0.1:6379/0";

Parsed<RedisUrl> refuse_part(std::string_view words) {
    return refuse<RedisUrl>(fmt::format("{}; write for example {}", words, example));
}

/// The inverse, of what would end a user name.
std::string encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain =
            byte > 0x20 && byte < 0x7f && c != '%' && c != ':' && c != '@' && c != '/';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
    }
    return out;
}

std::string_view take_credentials(std::string_view text, RedisUrl& url) {
    const std::size_t colon = text.find(':');
    const auto user = unescaped(text.substr(0, colon));
    const auto password =
        unescaped(colon == text.npos ? std::string_view{} : text.substr(colon + 1));
    if (!user || !password) return "a % before no two hex digits in user or password";
    url.username = *user;
    url.password = *password;
    if (url.password.empty() && colon != text.npos) return "an empty password";
    return {};
}

}  // namespace

Parsed<RedisUrl> parse_redis_url(const std::string& text) {
    RedisUrl url;
    std::string_view rest = text;
    if (rest.starts_with("rediss://")) {
        url.tls = true;
        rest.remove_prefix(9);
    } else if (rest.starts_with("redis://")) {
        rest.remove_prefix(8);
    } else {
        return refuse_part("not a URL of redis:// or rediss://");
    }
    // A password may hold anything: the last @ ends it.
    if (const std::size_t at = rest.rfind('@'); at != rest.npos) {
        const std::string_view wrong = take_credentials(rest.substr(0, at), url);
        if (!wrong.empty()) return refuse<RedisUrl>(std::string(wrong));
        rest.remove_prefix(at + 1);
    }
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const auto place = parse_host_port(rest.substr(0, slash));
    if (!place || place->host.empty() || rest.substr(0, slash).ends_with(":0"))
        return refuse_part("no host, or no port, where they should stand");
    url.host = place->host;
    if (place->port != 0) url.port = place->port;
    const std::string_view database =
        slash < rest.size() ? rest.substr(slash + 1) : std::string_view{};
    if (database.empty()) return {std::move(url), {}};
    const auto number = parse_count(database, 0, most_databases);
    if (!number.value) return refuse_part("what follows the host is no database's number");
    url.database = static_cast<std::uint32_t>(*number.value);
    return {std::move(url), {}};
}

std::string shown(const RedisUrl& url) {
    const bool v6 = url.host.find(':') != url.host.npos;
    std::string out = url.tls ? "rediss://" : "redis://";
    if (!url.username.empty() || !url.password.empty())
        out += fmt::format("{}{}@", encoded(url.username), url.password.empty() ? "" : ":(hidden)");
    out +=
        v6 ? fmt::format("[{}]:{}", url.host, url.port) : fmt::format("{}:{}", url.host, url.port);
    if (url.database != 0) out += fmt::format("/{}", url.database);
    return out;
}

}  // namespace scrollgate::config
