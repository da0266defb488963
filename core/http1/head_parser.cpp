// Heads are read in one pass when they are there as a whole. When bytes are missing, the place is
// kept in `scanned`; the next call checks on from there, and once the end is seen one more pass
// from the start collects the fields: at most twice the work, however the bytes are cut.
#include "core/http1/head_parser.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "core/http1/authority.hpp"
#include "core/http1/bytes.hpp"
#include "core/http1/field_section.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/request_line.hpp"
#include "core/http1/status_line.hpp"

namespace scrollgate::http1 {
namespace {

using Status = ParseResult::Status;

/// What `scanned` holds; all zero for a new message.
struct Place {
    std::uint32_t at = 0;      ///< next byte to look at
    std::uint16_t fields = 0;  ///< field lines begun
    SectionState::Phase phase = SectionState::Phase::line_start;
    bool in_fields = false;  ///< the start line is complete
};
static_assert(sizeof(Place) == sizeof(std::size_t));

/// No head is longer than this, whatever the limits say: offsets are 32 bits wide.
constexpr std::size_t offset_max = 1U << 30;

ParseResult fail(ErrorKind kind, const char* detail) {
    return {Status::failed, 0, kind, detail};
}

/// Too few bytes: a limit has been reached, or more must come.
ParseResult out_of_bytes(bool limit_reached, ErrorKind too_large) {
    if (limit_reached) return fail(too_large, "head is too large");
    return {};
}

/// Host, options and framing of a request whose fields are complete. RFC 9112 section 3.2.
ParseResult judge(RequestHead& head) {
    const HeaderField* host = nullptr;
    for (const HeaderField& field : head.fields) {
        if (field.id != Field::host) continue;
        if (host != nullptr) return fail(ErrorKind::bad_host, "several Host fields");
        host = &field;
    }
    if (host == nullptr) {
        if (head.version == Version::http11) return fail(ErrorKind::bad_host, "no Host field");
    } else if (!valid_authority(host->value)) {
        return fail(ErrorKind::bad_host, "malformed Host");
    } else if (head.authority.empty()) {
        head.authority = host->value;
    } else if (!equal_no_case(head.authority, host->value)) {
        return fail(ErrorKind::bad_host, "Host differs from the target");
    }
    if (too_many_options(head.fields)) {
        return fail(ErrorKind::header_too_large, "too many options in Connection");
    }
    const Result<BodyFraming> framing = request_framing(head);
    if (!framing) return fail(framing.error().kind, framing.error().detail);
    head.body = *framing;
    return {Status::complete};
}

ParseResult judge(ResponseHead& head, Method request_method) {
    if (too_many_options(head.fields)) {
        return fail(ErrorKind::upstream_malformed, "too many options in Connection");
    }
    const Result<BodyFraming> framing = response_framing(head, request_method);
    if (!framing) return fail(framing.error().kind, framing.error().detail);
    head.body = *framing;
    return {Status::complete};
}

/// The part that requests and responses share: start line, fields, limits, resumption.
/// `read_line(bytes, checked)` reads the start line into the head; `judge_head()` judges the whole.
/// Failures of the fields are `malformed`, of the limits `too_large`.
template <class Head, class ReadLine, class JudgeHead>
ParseResult parse_head(std::string_view bytes, const HeadLimits& limits, std::size_t& scanned,
                       Head& head, ErrorKind malformed, ErrorKind too_large, ReadLine read_line,
                       JudgeHead judge_head) {
    const std::size_t limit = std::min(limits.bytes, offset_max);
    const bool limit_reached = bytes.size() >= limit;
    const std::string_view window = bytes.substr(0, limit);
    Place place = std::bit_cast<Place>(scanned);
    assert(place.at <= window.size() && "the caller's buffer shrank within one message");

    const auto read_section = [&](SectionState& state) -> ParseResult {
        const SectionResult section = read_fields(window, state, limits.fields, head.fields);
        switch (section.status) {
            case SectionStatus::complete:
                return {Status::complete, state.at};
            case SectionStatus::malformed:
                return fail(malformed, section.detail);
            case SectionStatus::too_many:
                return fail(too_large, section.detail);
            case SectionStatus::need_more:
                break;
        }
        scanned = std::bit_cast<std::size_t>(Place{state.at, state.fields, state.phase, true});
        return out_of_bytes(limit_reached, too_large);
    };

    ParseResult resumed{Status::complete};
    if (place.in_fields) {
        SectionState state{place.at, place.fields, place.phase};
        resumed = read_section(state);
        if (resumed.status == Status::need_more) return resumed;
        place = {};
    }
    head.clear();
    const LineResult line = read_line(window, place.at);
    if (line.status == LineResult::Status::failed) return fail(line.error, line.detail);
    if (line.status == LineResult::Status::need_more) {
        scanned = std::bit_cast<std::size_t>(Place{static_cast<std::uint32_t>(line.at)});
        return out_of_bytes(limit_reached, too_large);
    }
    if (resumed.status == Status::failed) return resumed;
    SectionState state{static_cast<std::uint32_t>(line.at)};
    const ParseResult section = read_section(state);
    if (section.status != Status::complete) return section;
    ParseResult result = judge_head();
    result.consumed = section.consumed;
    return result;
}

}  // namespace

ParseResult parse_request_head(std::string_view bytes, const HeadLimits& limits,
                               std::size_t& scanned, RequestHead& head) {
    return parse_head(
        bytes, limits, scanned, head, ErrorKind::bad_request, ErrorKind::header_too_large,
        [&](std::string_view window, std::size_t checked) {
            return read_request_line(window, checked, limits.uri, head);
        },
        [&] { return judge(head); });
}

ParseResult parse_response_head(std::string_view bytes, const HeadLimits& limits,
                                std::size_t& scanned, Method request_method, ResponseHead& head) {
    return parse_head(
        bytes, limits, scanned, head, ErrorKind::upstream_malformed, ErrorKind::upstream_malformed,
        [&](std::string_view window, std::size_t checked) {
            return read_status_line(window, checked, head);
        },
        [&] { return judge(head, request_method); });
}

}  // namespace scrollgate::http1
