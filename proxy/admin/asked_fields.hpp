// The fields that a question to `explain` brings with its URL: "Accept-Encoding: br, gzip".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/header_list.hpp"

namespace scrollgate {

/// Bounded: asked_fields_most fields of limits::cache_key bytes each.
struct AskedFields {
    std::vector<std::string> lines;  ///< what `fields` views
    HeaderList fields;
    std::string wrong;  ///< what is wrong with one of them, for people; empty: nothing
};
inline constexpr std::size_t asked_fields_most = 64;

/// Each of `lines` is one field, "Name: value". Host is none: it is the URL's.
[[nodiscard]] AskedFields asked_fields(std::vector<std::string> lines);

}  // namespace scrollgate
