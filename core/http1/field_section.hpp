// Reader of a field section: the lines of a head behind its first line, or a trailer section
// (RFC 9112 section 5).
//
// It stops anywhere and goes on there, so bytes that trickle in cost linear time. A reading that
// went on in the middle has checked every byte but has not seen the whole of every field: the
// caller reads once more from the start for the fields themselves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/header_list.hpp"

namespace scrollgate::http1 {

struct SectionState {
    enum class Phase : std::uint8_t { line_start, name, value };
    std::uint32_t at = 0;      ///< the next byte to look at
    std::uint16_t fields = 0;  ///< lines begun so far
    Phase phase = Phase::line_start;
};

enum class SectionStatus : std::uint8_t { complete, need_more, malformed, too_many };

struct SectionResult {
    SectionStatus status;
    const char* detail = "";  ///< static text, when malformed or too_many
};

/// Reads on at state.at up to and with the empty line; then state.at is behind it. Appends each
/// field to `out`, its views into `bytes`. More than `max_fields` lines are too_many.
[[nodiscard]] SectionResult read_fields(std::string_view bytes, SectionState& state,
                                        std::size_t max_fields, HeaderList& out);

}  // namespace scrollgate::http1
