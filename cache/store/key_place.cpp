#include "cache/store/key_place.hpp"

#include <algorithm>

#include "cache/key.hpp"

namespace scrollgate {

KeyPlace place_of(std::string_view key) noexcept {
    constexpr auto npos = std::string_view::npos;
    KeyPlace place;
    const std::size_t partition = key.find('\n');
    const std::size_t scheme = partition == npos ? npos : key.find('\n', partition + 1);
    if (scheme == npos) {
        place.url = key;
    } else {
        place.scheme = key.substr(partition + 1, scheme - partition - 1);
        const std::size_t authority = key.find('\n', scheme + 1);
        const std::size_t target = authority == npos ? npos : key.find('\n', authority + 1);
        place.chosen = target != npos;
        place.url = key.substr(scheme + 1, place.chosen ? target - scheme - 1 : npos);
    }
    place.hash = cache_hash(place.chosen ? key : place.url);
    return place;
}

bool has_chosen_lines(std::string_view key) noexcept {
    constexpr auto separators = 4;  // partition, scheme, authority, target, and then they
    return std::count(key.begin(), key.end(), '\n') >= separators;
}

std::string url_of_purge(std::string_view what) {
    const std::size_t slash = std::min(what.find('/'), what.size());
    std::string url(what.substr(0, slash));
    url += '\n';
    url += what.substr(slash);
    return url;
}

}  // namespace scrollgate
