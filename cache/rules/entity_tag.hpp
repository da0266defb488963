// Entity tags (RFC 9110 section 8.8.3) and lists of them. Pure; any thread.
#pragma once

#include <algorithm>
#include <string_view>

#include "core/text.hpp"

namespace scrollgate {

struct EntityTag {
    bool weak = false;
    std::string_view opaque;  ///< with its quotes; without, if they were not there
};

[[nodiscard]] inline EntityTag make_entity_tag(std::string_view text) noexcept {
    const bool weak = text.starts_with("W/\"");
    if (weak) text.remove_prefix(2);
    return {weak, text};
}

/// 8.8.3.2: the same, whether weak or not.
[[nodiscard]] inline bool weakly_equal(EntityTag a, EntityTag b) noexcept {
    return !a.opaque.empty() && a.opaque == b.opaque;
}
[[nodiscard]] inline bool strongly_equal(EntityTag a, EntityTag b) noexcept {
    return !a.weak && !b.weak && weakly_equal(a, b);
}

/// Takes the first tag off a list. A comma inside of quotes is part of the tag.
[[nodiscard]] inline std::string_view pop_entity_tag(std::string_view& list) noexcept {
    list = trim(list);
    std::size_t end = list.find_first_of(",\"");
    if (end != std::string_view::npos && list[end] == '"') {
        const std::size_t close = list.find('"', end + 1);
        end = close == std::string_view::npos ? close : list.find(',', close);
    }
    const std::string_view tag = trim(list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    return tag;
}

}  // namespace scrollgate
