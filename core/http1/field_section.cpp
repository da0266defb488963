// Walks name by name and value by value; every way out goes through `leave`, which keeps the place.
#include "core/http1/field_section.hpp"

#include "core/http1/bytes.hpp"

namespace scrollgate::http1 {
namespace {

using Phase = SectionState::Phase;

/// Why a name ended at something else than its colon.
const char* bad_name(char byte) noexcept {
    switch (byte) {
        case ' ':
        case '\t':
            return "white space in or behind a field name";
        case '\r':
        case '\n':
            return "field line without a colon";
        default:
            return "byte that no field name may hold";
    }
}

const char* bad_line_start(char byte) noexcept {
    if (byte == ' ' || byte == '\t') return "folded field line";
    if (byte == ':') return "empty field name";
    if (byte == '\n') return "bare LF";
    return nullptr;
}

}  // namespace

SectionResult read_fields(std::string_view bytes, SectionState& state, std::size_t max_fields,
                          HeaderList& out) {
    const char* const begin = bytes.data();
    const char* const end = begin + bytes.size();
    const char* p = begin + state.at;
    std::size_t count = state.fields;
    Phase phase = state.phase;
    const auto leave = [&](SectionStatus status, const char* detail = "") -> SectionResult {
        state = {static_cast<std::uint32_t>(p - begin), static_cast<std::uint16_t>(count), phase};
        return {status, detail};
    };

    std::string_view name;
    for (;;) {
        if (phase == Phase::line_start) {
            if (p == end) return leave(SectionStatus::need_more);
            if (*p == '\r') {
                if (end - p < 2) return leave(SectionStatus::need_more);
                if (p[1] != '\n') return leave(SectionStatus::malformed, "bare CR");
                p += 2;
                return leave(SectionStatus::complete);
            }
            if (count >= max_fields) return leave(SectionStatus::too_many, "too many fields");
            if (const char* why = bad_line_start(*p)) return leave(SectionStatus::malformed, why);
            ++count;
            phase = Phase::name;
        }
        if (phase == Phase::name) {
            const char* const from = p;
            p = skip<token_bytes>(p, end);
            if (p == end) return leave(SectionStatus::need_more);
            if (*p != ':') return leave(SectionStatus::malformed, bad_name(*p));
            name = {from, static_cast<std::size_t>(p - from)};
            ++p;
            phase = Phase::value;
        }
        const char* const from = p;
        p = skip_value(p, end);
        if (p == end) return leave(SectionStatus::need_more);
        if (*p != '\r') return leave(SectionStatus::malformed, "control byte in a field value");
        if (end - p < 2) return leave(SectionStatus::need_more);
        if (p[1] != '\n') return leave(SectionStatus::malformed, "bare CR");
        out.add(name, trim({from, static_cast<std::size_t>(p - from)}));
        p += 2;
        phase = Phase::line_start;
    }
}

}  // namespace scrollgate::http1
