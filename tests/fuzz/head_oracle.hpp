// What must hold for every head that our parsers accept, requests and responses alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/hop_by_hop.hpp"
#include "core/http1/bytes.hpp"
#include "core/http1/head_parser.hpp"
#include "tests/fuzz/beast_head.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace scrollgate::fuzz {

inline constexpr http1::HeadLimits head_limits{.bytes = 4096, .fields = 20, .uri = 512};

/// Feeds growing copies of `bytes` in steps of `step` to `parse(bytes, scanned, head)`. The buffer
/// that the head's views point into is left in `buffer`.
template <class Head, class Parse>
http1::ParseResult feed(std::string_view bytes, std::size_t step, std::vector<char>& buffer,
                        Head& head, Parse parse) {
    std::size_t scanned = 0;
    std::size_t end = 0;
    for (;;) {
        end = std::min(end + step, bytes.size());
        buffer = std::vector<char>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
        const auto result = parse(std::string_view{buffer.data(), end}, scanned, head);
        if (result.status != http1::ParseResult::Status::need_more || end == bytes.size()) {
            return result;
        }
    }
}

inline void require_same(const http1::ParseResult& a, const http1::ParseResult& b) {
    require(a.status == b.status, "cutting changes the status");
    if (a.status == http1::ParseResult::Status::complete) {
        require(a.consumed == b.consumed, "cutting changes the length");
    }
    if (a.status == http1::ParseResult::Status::failed) {
        require(a.error == b.error, "cutting changes the error");
        require(std::string_view(a.detail) == b.detail, "cutting changes the detail");
    }
}

inline void require_same(const HeaderList& a, const HeaderList& b) {
    require(a.size() == b.size(), "other number of fields");
    for (std::size_t i = 0; i < a.size(); ++i) {
        require(a[i].name == b[i].name && a[i].value == b[i].value, "other field");
        require(a[i].id == b[i].id && a[i].id == field_id(a[i].name), "other field id");
    }
}

inline void require_same(const BodyFraming& a, const BodyFraming& b) {
    require(a.kind == b.kind && a.length == b.length, "other framing");
}

template <bool IsRequest>
void require_same(const HeaderList& ours, const BeastHead<IsRequest>& theirs) {
    require(ours.size() == theirs.fields.size(), "Beast sees another number of fields");
    for (std::size_t i = 0; i < ours.size(); ++i) {
        require(ours[i].name == theirs.fields[i].name, "Beast sees another name");
        require(ours[i].value == theirs.fields[i].value, "Beast sees another value");
    }
}

/// Beast refuses a message whose Connection is no list of tokens; we do not act on what is no
/// token.
inline bool beast_would_take(const HeaderList& fields) {
    bool tokens = true;
    for (const HeaderField& field : fields) {
        if (field.id != Field::connection && field.id != Field::proxy_connection) continue;
        for_each_option(field.value, [&tokens](std::string_view option) {
            tokens = tokens && http1::is_token(option);
        });
    }
    return tokens;
}

/// The fields and the empty line, as our ends write them.
inline std::string written(const HeaderList& fields) {
    std::string out;
    for (const HeaderField& field : fields) {
        out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
    return out + "\r\n";
}

}  // namespace scrollgate::fuzz
