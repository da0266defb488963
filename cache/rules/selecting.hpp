// The value of a request field as it selects a variant (RFC 9111 section 4.1) or counts in a key:
// one value for all spellings that mean the same. Streams it, so that comparing allocates nothing.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/header_list.hpp"
#include "core/text.hpp"

namespace scrollgate {

/// The codings that matter of all Accept-Encoding fields: "br, gzip, zstd", or some of them in this
/// order; "identity" if none is left; empty: there is no such field. Static text.
[[nodiscard]] std::string_view accepted_codings(const HeaderList& request) noexcept;

namespace detail {

/// False: `put` wants no more.
template <class Put>
bool puts(Put& put, char c) {
    if constexpr (std::is_void_v<std::invoke_result_t<Put&, char>>) {
        put(c);
        return true;
    } else {
        return put(c);
    }
}

template <class Put>
bool put_all(std::string_view text, Put& put) {
    return std::all_of(text.begin(), text.end(), [&put](char c) { return puts(put, c); });
}

/// Each element of an Accept-Language value, in lower case, without white space, commas between.
template <class Put>
bool put_languages(std::string_view value, bool& first, Put& put) {
    while (!value.empty()) {
        const std::string_view element = pop_first_in_list(value);
        if (element.empty()) continue;
        if (!first && !puts(put, ',')) return false;
        first = false;
        for (const char c : element) {
            if (c == ' ' || c == '\t') continue;
            if (!puts(put, c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c)) return false;
        }
    }
    return true;
}

[[nodiscard]] inline bool has_name(const HeaderField& field, std::string_view name,
                                   Field id) noexcept {
    return id != Field::unknown ? field.id == id
                                : field.id == Field::unknown && equal_no_case(field.name, name);
}

}  // namespace detail

/// Gives the selecting value of the fields called `name` (`id` is its field_id()) to `put`, one
/// char at a time; a `put` that returns false is given no more. False: there is no such field.
/// Accept-Encoding and Accept-Language are normalised; of all others several lines are one list
/// (RFC 9110 section 5.3).
template <class Put>
bool for_selecting_value(const HeaderList& request, std::string_view name, Field id, Put&& put) {
    if (id == Field::accept_encoding) {
        const std::string_view codings = accepted_codings(request);
        static_cast<void>(detail::put_all(codings, put));
        return !codings.empty();
    }
    bool found = false;
    bool first = true;
    for (const HeaderField& field : request) {
        if (!detail::has_name(field, name, id)) continue;
        const bool more =
            id == Field::accept_language
                ? detail::put_languages(field.value, first, put)
                : (!found || detail::put_all(id == Field::cookie ? "; " : ", ", put)) &&
                      detail::put_all(field.value, put);
        if (!more) return true;
        found = true;
    }
    return found;
}

/// Appends ": " and the selecting value of the fields called `name`; nothing if there is none,
/// which is not the same as an empty one.
inline void append_selecting_value(std::string& text, std::string_view name,
                                   const HeaderList& request) {
    const std::size_t before = text.size();
    text += ": ";
    const auto append = [&text](char c) { text += c; };
    if (!for_selecting_value(request, name, field_id(name), append)) text.resize(before);
}

/// Takes the first line of a key, or of a variant's lines, off `lines`; without its end.
inline std::string_view pop_line(std::string_view& lines) noexcept {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    return line;
}

}  // namespace scrollgate
