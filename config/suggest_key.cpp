// Which key was meant: by spelling at this place, by spelling elsewhere, or by the word that other
// proxies use for the same thing.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "config/reader.hpp"
#include "config/suggest.hpp"

namespace scrollgate::config {
namespace {

struct Synonym {
    std::string_view word;  // folded
    std::string_view key;
};
constexpr std::array synonyms = {
    Synonym{"upstream", "pools"},
    Synonym{"upstreams", "pools"},
    Synonym{"backend", "pools"},
    Synonym{"backends", "pools"},
    Synonym{"cluster", "pools"},
    Synonym{"clusters", "pools"},
    Synonym{"proxypass", "pools"},
    Synonym{"server", "endpoints"},
    Synonym{"servers", "endpoints"},
    Synonym{"targets", "endpoints"},
    Synonym{"members", "endpoints"},
    Synonym{"listen", "listeners"},
    Synonym{"frontends", "listeners"},
    Synonym{"bind", "address"},
    Synonym{"port", "address"},
    Synonym{"prefix", "path_prefix"},
    Synonym{"path", "path_prefix"},
    Synonym{"regex", "path_regex"},
    Synonym{"ssl", "tls"},
    Synonym{"hostname", "host"},
    Synonym{"lb", "balance"},
    Synonym{"loadbalancing", "balance"},
    Synonym{"policy", "balance"},
    Synonym{"retries", "max_attempts"},
    Synonym{"retry", "max_attempts"},
    Synonym{"log", "access_log"},
    Synonym{"logging", "access_log"},
    Synonym{"logs", "access_log"},
    Synonym{"threads", "workers"},
    Synonym{"code", "status"},
    Synonym{"location", "to"},
    Synonym{"url", "to"},
    Synonym{"clientmaxbodysize", "body"},
    Synonym{"keepalive", "upstream_idle"},
    Synonym{"trustedips", "trusted_proxies"},
    Synonym{"strip", "strip_prefix"},
    Synonym{"ttl", "default_ttl"},
    Synonym{"maxage", "default_ttl"},
    Synonym{"grace", "stale_while_revalidate"},
    Synonym{"swr", "stale_while_revalidate"},
    Synonym{"usestale", "stale_if_error"},
    Synonym{"proxycache", "cache"},
    Synonym{"caching", "cache"},
    Synonym{"maxcachesize", "memory"},
    Synonym{"maxsize", "memory"},
    Synonym{"cachekey", "key"},
    Synonym{"prewarm", "warm"},
    Synonym{"target", "target_in_flight"},
    Synonym{"backup", "standby"},
    Synonym{"check", "health_check"},
    Synonym{"rise", "healthy_after"},
    Synonym{"fall", "unhealthy_after"},
    Synonym{"maxfails", "consecutive"},
    Synonym{"failtimeout", "ejection"},
    Synonym{"outlierdetection", "outlier"},
    Synonym{"resolver", "dns"},
    Synonym{"resolvers", "dns"},
    Synonym{"stickysession", "sticky"},
    Synonym{"hashon", "hash"},
};

struct Candidate {
    std::size_t distance = no_slip;
    std::size_t steps = 0;  // from the place we are at
    std::string path;
};

class Search {
  public:
    Search(std::string_view word, const std::vector<std::string>& pattern,
           const std::vector<std::string>& concrete)
        : word_(word), pattern_(pattern), concrete_(concrete) {}

    void walk(const std::vector<KeyInfo>& keys) {
        for (const KeyInfo& info : keys) {
            at_.push_back(info.name);
            consider(slip_distance(word_, info.name));
            if (!info.below.empty()) at_.push_back(info.below);
            walk(info.children);
            if (!info.below.empty()) at_.pop_back();
            at_.pop_back();
        }
    }
    [[nodiscard]] const Candidate& best() const noexcept { return best_; }

  private:
    void consider(std::size_t distance) {
        // Elsewhere, only long words may differ: "to", "name" and "key" are near to too much.
        if (distance == no_slip || (distance > 0 && at_.back().size() < 6)) return;
        std::size_t common = 0;
        while (common < at_.size() && common < pattern_.size() && at_[common] == pattern_[common])
            ++common;
        // Up costs more than down.
        const std::size_t steps = (pattern_.size() - common) * 2 + (at_.size() - common);
        if (distance > best_.distance || (distance == best_.distance && steps >= best_.steps))
            return;
        best_ = {distance, steps, ""};
        for (std::size_t i = 0; i < at_.size(); ++i) {
            const std::string& segment = i < common ? concrete_[i] : at_[i];
            if (i > 0 && !segment.starts_with('[')) best_.path += '.';
            best_.path += segment;
        }
    }

    std::string_view word_;
    const std::vector<std::string>& pattern_;
    const std::vector<std::string>& concrete_;
    std::vector<std::string> at_;
    Candidate best_;
};

std::string hint(std::string_view key) {
    return fmt::format(" (did you mean {}?)", key);
}

}  // namespace

std::string suggest_key(std::string_view word, const std::vector<const KeyInfo*>& known,
                        const KeyInfo& root, const std::vector<std::string>& pattern,
                        const std::vector<std::string>& concrete) {
    std::vector<std::string_view> names;
    for (const KeyInfo* info : known)
        names.push_back(info->name);
    const std::string_view here = closest(word, names);
    const std::size_t here_distance = here.empty() ? no_slip : slip_distance(word, here);

    if (here_distance <= 1) return hint(here);
    const Synonym* synonym = std::find_if(synonyms.begin(), synonyms.end(),
                                          [&](const Synonym& s) { return s.word == folded(word); });
    const bool known_elsewhere = synonym != synonyms.end();
    if (known_elsewhere && std::find(names.begin(), names.end(), synonym->key) != names.end())
        return hint(synonym->key);

    Search elsewhere(word, pattern, concrete);
    elsewhere.walk(root.children);
    if (elsewhere.best().distance == 0) return hint(elsewhere.best().path);
    if (!here.empty()) return hint(here);
    if (known_elsewhere) {
        Search same(synonym->key, pattern, concrete);
        same.walk(root.children);
        if (same.best().distance == 0) return hint(same.best().path);
    }
    return elsewhere.best().path.empty() ? std::string() : hint(elsewhere.best().path);
}

}  // namespace scrollgate::config
