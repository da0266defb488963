// Feeds a head to its parser whole, in every pair of parts and byte by byte, and insists that the
// outcome is the same. Each part is given in a buffer of its own of exactly its size, so that
// sanitizers see a read behind it and views into an old buffer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "core/http1/head_parser.hpp"

namespace scrollgate::http1::testing {

inline constexpr HeadLimits usual{.bytes = 4096, .fields = 20, .uri = 1024};

/// What came of a head, in a form that can be compared and read.
struct Outcome {
    ParseResult::Status status = ParseResult::Status::need_more;
    ErrorKind error = ErrorKind::cancelled;  ///< of a failure
    std::string detail;                      ///< of a failure
    std::size_t consumed = 0;                ///< of a success
    std::string head;                        ///< of a success: everything in it

    bool operator==(const Outcome&) const = default;
    [[nodiscard]] bool complete() const { return status == ParseResult::Status::complete; }
    [[nodiscard]] bool failed() const { return status == ParseResult::Status::failed; }
};

inline std::string text(const BodyFraming& body) {
    switch (body.kind) {
        case BodyFraming::Kind::none:
            return "none";
        case BodyFraming::Kind::length:
            return "length " + std::to_string(body.length);
        case BodyFraming::Kind::chunked:
            return "chunked";
        case BodyFraming::Kind::until_close:
            return "until close";
    }
    return "?";
}

inline std::string text(const HeaderList& fields) {
    std::string out;
    for (const HeaderField& field : fields) {
        CHECK(field.id == field_id(field.name));
        out.append("\n").append(field.name).append("=").append(field.value);
    }
    return out;
}

inline std::string text(const RequestHead& head) {
    static constexpr const char* forms[] = {"origin", "absolute", "authority", "asterisk"};
    std::string out{head.method_text};
    CHECK(head.method == method_from(head.method_text));
    out.append(" ").append(head.target).append(" ").append(version_text(head.version));
    out.append(" | ").append(forms[static_cast<int>(head.form)]);
    out.append(" ").append(head.scheme).append(" ").append(head.authority);
    out.append(" ").append(head.path).append(head.has_query ? "?" : "").append(head.query);
    return out + " | " + text(head.body) + text(head.fields);
}

inline std::string text(const ResponseHead& head) {
    std::string out = std::to_string(head.status);
    out.append(" ").append(version_text(head.version)).append(" ").append(head.reason);
    return out + " | " + text(head.body) + text(head.fields);
}

/// `parse(bytes, scanned, head)` on growing copies of `bytes`, cut at each of `cuts`.
template <class Head, class Parse>
Outcome feed(std::string_view bytes, const std::vector<std::size_t>& cuts, Parse parse) {
    Head head;
    std::size_t scanned = 0;
    std::vector<char> buffer;
    for (const std::size_t cut : cuts) {
        buffer = std::vector<char>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
        const ParseResult result = parse(std::string_view{buffer.data(), cut}, scanned, head);
        if (result.status == ParseResult::Status::need_more) continue;
        if (result.status == ParseResult::Status::failed) {
            return {result.status, result.error, result.detail, 0, {}};
        }
        return {result.status, ErrorKind::cancelled, {}, result.consumed, text(head)};
    }
    return {};
}

/// The outcome of the whole, once it is shown to be that of every way of cutting.
template <class Head, class Parse>
Outcome feed_all_ways(std::string_view bytes, Parse parse) {
    const Outcome whole = feed<Head>(bytes, {bytes.size()}, parse);
    std::vector<std::size_t> each;
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        each.push_back(cut);
        const Outcome parts = feed<Head>(bytes, {cut, bytes.size()}, parse);
        CHECK_MESSAGE(parts == whole, "cut at ", cut, ": ", parts.detail, parts.head);
    }
    const Outcome trickled = feed<Head>(bytes, each, parse);
    CHECK_MESSAGE(trickled == whole, "byte by byte: ", trickled.detail, trickled.head);
    return whole;
}

inline Outcome request(std::string_view bytes, const HeadLimits& limits = usual) {
    return feed_all_ways<RequestHead>(
        bytes, [&](std::string_view part, std::size_t& scanned, RequestHead& head) {
            return parse_request_head(part, limits, scanned, head);
        });
}

inline Outcome response(std::string_view bytes, Method method = Method::get,
                        const HeadLimits& limits = usual) {
    return feed_all_ways<ResponseHead>(
        bytes, [&](std::string_view part, std::size_t& scanned, ResponseHead& head) {
            return parse_response_head(part, limits, scanned, method, head);
        });
}

}  // namespace scrollgate::http1::testing
