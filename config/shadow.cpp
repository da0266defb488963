// Routes that can never match, because an earlier one takes everything that they would.
//
// Earlier routes are looked up by host and path, so that 10,000 routes take a moment and not a
// square of one. Only plain cover is seen: no reasoning about regexes, nor about several earlier
// routes that cover a later one together.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "config/validate.hpp"

namespace scrollgate::config {
namespace {

constexpr char separator = '\n';  // stands in no host and no path

std::string path_key(const Match& match) {
    if (!match.path_exact.empty()) return "=" + match.path_exact;
    if (!match.path_prefix.empty()) return "^" + match.path_prefix;
    if (!match.path_regex.empty()) return "~" + match.path_regex;
    return {};
}

/// Host patterns that hold for every request that `host` holds for.
std::vector<std::string> covering_hosts(const std::string& host) {
    std::vector<std::string> all = {""};
    if (host.empty()) return all;
    all.push_back(host);
    const std::string name = host.starts_with("*.") ? host.substr(2) : host;
    for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
        all.push_back("*" + name.substr(dot));
    return all;
}

/// Path conditions that hold whenever those of `match` hold. A prefix goes by segment borders.
std::vector<std::string> covering_paths(const Match& match) {
    std::vector<std::string> all = {""};
    const std::string own = path_key(match);
    if (own.empty()) return all;
    all.push_back(own);
    const std::string& path = match.path_exact.empty() ? match.path_prefix : match.path_exact;
    if (!path.empty()) all.push_back("^" + path);
    for (std::size_t slash = path.find('/'); slash != path.npos;
         slash = path.find('/', slash + 1)) {
        if (slash > 0) all.push_back("^" + path.substr(0, slash));
        all.push_back("^" + path.substr(0, slash + 1));
    }
    return all;
}

template <class Item>
bool all_in(const std::vector<Item>& some, const std::vector<Item>& all) {
    return std::all_of(some.begin(), some.end(), [&](const Item& item) {
        return std::find(all.begin(), all.end(), item) != all.end();
    });
}

/// Do the conditions of `first` other than host and path hold whenever those of `second` do?
bool covers_rest(const Match& first, const Match& second) {
    if (!first.listener.empty() && first.listener != second.listener) return false;
    if (!first.methods.empty() &&
        (second.methods.empty() || !all_in(second.methods, first.methods)))
        return false;
    return all_in(first.headers, second.headers) && all_in(first.query, second.query);
}

}  // namespace

std::vector<std::size_t> shadowed_by(const std::vector<Route>& routes) {
    // Many routes with one host and path differ in the rest; a bound keeps that case linear.
    constexpr std::size_t most_alike = 100;
    std::unordered_map<std::string, std::vector<std::size_t>> earlier;
    std::vector<std::size_t> result;
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const Match& match = routes[i].match;
        std::size_t first = i;
        for (const std::string& host : covering_hosts(match.host)) {
            for (const std::string& path : covering_paths(match)) {
                const auto found = earlier.find(host + separator + path);
                if (found == earlier.end()) continue;
                for (const std::size_t j : found->second)
                    if (j < first && covers_rest(routes[j].match, match)) first = j;
            }
        }
        result.push_back(first);
        auto& alike = earlier[match.host + separator + path_key(match)];
        if (alike.size() < most_alike) alike.push_back(i);
    }
    return result;
}

}  // namespace scrollgate::config
