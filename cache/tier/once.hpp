// How a purge comes into a log once, whoever brings it: its record is written together with a mark
// of its token, which tells where it stands (docs/cache-format.md). Pure functions; any thread.
#pragma once

#include <string_view>

#include "cache/redis/command.hpp"
#include "cache/redis/reply.hpp"
#include "cache/tier/log_record.hpp"
#include "core/result.hpp"

namespace scrollgate::tier {

/// Writes `record` into the log of `prefix`, unless it stands there.
[[nodiscard]] redis::Command once_command(std::string_view prefix, const LogRecord& record);
/// The answer to that, or to a plain XADD.
struct Stands {
    Position position = 0;  ///< of the record; 0: it was not written
    bool before = false;    ///< by somebody else's hand, or ours of before
};
[[nodiscard]] Stands stands_in(const Result<redis::Reply>& answer) noexcept;

}  // namespace scrollgate::tier
