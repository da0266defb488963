// Reply: what a Redis server has answered, as a value (RESP2;
// redis.io/docs/reference/protocol-spec).
//
// Whatever a server sends is bounded where it is read (reply_reader.hpp): bytes, elements, depth. A
// value; it owns everything. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scrollgate::redis {

struct Reply {
    enum class Kind : std::uint8_t { nil, status, error, integer, text, array };

    Kind kind = Kind::nil;
    std::int64_t integer = 0;     ///< of an integer
    std::string text{};           ///< of a text (any bytes), a status or an error, without the mark
    std::vector<Reply> elements;  ///< of an array; a nil array is nil

    [[nodiscard]] bool is_nil() const noexcept { return kind == Kind::nil; }
    [[nodiscard]] bool is_error() const noexcept { return kind == Kind::error; }
    [[nodiscard]] bool is_text() const noexcept { return kind == Kind::text; }
    [[nodiscard]] bool is_integer() const noexcept { return kind == Kind::integer; }
    [[nodiscard]] bool is_array() const noexcept { return kind == Kind::array; }
    /// A status of that word: "OK".
    [[nodiscard]] bool is_status(std::string_view word) const noexcept {
        return kind == Kind::status && text == word;
    }
    /// The first word of an error, which says what kind it is: "MOVED", "OOM"; else empty.
    [[nodiscard]] std::string_view code() const noexcept {
        if (!is_error()) return {};
        return std::string_view(text).substr(0, text.find(' '));
    }
};

/// Text of a server's, fit for a log: its beginning, without control characters.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace scrollgate::redis
