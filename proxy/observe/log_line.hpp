// One line of the access log: JSON or Apache's combined format, written without allocation.
//
// Runs on the worker for every request, so it is budgeted (docs/decisions/0004). A line is always
// valid: every JSON line parses and is UTF-8, whatever bytes a peer sent; a combined line holds
// printable ASCII only. LineFormatter belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/model.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

/// Longest written form of one text of a line (path, user agent …); the rest is cut off.
inline constexpr std::size_t log_text_max = 8 * limits::KiB;

class LineFormatter {
  public:
    /// No line is longer, whatever the record holds.
    static constexpr std::size_t max_line = 128 * limits::KiB;

    /// An upper bound for this record's line, at most max_line.
    [[nodiscard]] static std::size_t bound(const ExchangeRecord& record) noexcept;
    /// Writes one line with its '\n' to `out`, which has room for bound(record). Returns its end.
    char* format(config::AccessLog::Format format, const ExchangeRecord& record,
                 char* out) noexcept;

  private:
    char* json(const ExchangeRecord& record, char* out) noexcept;
    char* combined(const ExchangeRecord& record, char* out) noexcept;
    void date(std::int64_t second) noexcept;

    std::int64_t second_ = INT64_MIN;  // that the texts below show
    char rfc3339_[19];                 // "2026-01-02T03:04:05"
    char apache_[28];                  // "[02/Jan/2026:03:04:05 +0000]"
};

}  // namespace scrollgate
