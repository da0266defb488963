// The access log: formatted on the worker into a bounded ring, written by a thread of its own.
//
// Never blocks a worker: a full ring drops the line and counts it. One ring per worker (single
// producer, single consumer, no locks). The writer sleeps until a ring turns from empty to not
// empty, then gathers lines for a moment and writes them at once; an idle process does not wake
// up. Lines are written whole, or dropped and counted. Why a thread: docs/decisions/0004.
#pragma once

#include <cstdint>
#include <memory>

#include "config/model.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

class AccessLog {
  public:
    /// Opens the file. Throws std::runtime_error with what and why if it cannot.
    AccessLog(const config::AccessLog& settings, unsigned workers);
    /// Writes what is waiting (for at most two seconds if nobody takes it), then stops the writer.
    /// No worker may write any more.
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    /// Formats and queues one line. Worker `worker`'s thread only.
    void write(unsigned worker, const ExchangeRecord& record) noexcept;
    /// Opens the file anew (SIGUSR1, log rotation). Any thread, also a signal handler; returns at
    /// once. If it cannot be opened, the old one stays and the operational log says so.
    void reopen() noexcept;
    /// Another path or format from now on (reload). Control thread. Throws like the constructor
    /// and then changes nothing.
    void reconfigure(const config::AccessLog& settings);
    /// Lines dropped since the start: full ring, or the file took no more. Any thread.
    [[nodiscard]] std::uint64_t dropped() const noexcept;
    /// False with `format: off`. Any thread.
    [[nodiscard]] bool enabled() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
