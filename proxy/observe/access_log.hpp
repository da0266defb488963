// The access log: formatted on the worker into a bounded ring, written by a thread of its own.
//
// Never blocks a worker: a full ring drops the line and counts it. One ring per worker (single
// producer, single consumer, no locks). The writer sleeps until a ring turns from empty to not
// empty, then gathers lines for a moment; an idle process does not wake up.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "config/model.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

class AccessLog {
  public:
    /// Opens the file. Throws std::runtime_error with what and why if it cannot.
    AccessLog(const config::AccessLog& settings, unsigned workers);
    /// Writes what is waiting, then stops the writer.
    ~AccessLog();

    /// Formats and queues one line. Worker `worker`'s thread only.
    void write(unsigned worker, const ExchangeRecord& record) noexcept;
    /// Opens the file anew (SIGUSR1, log rotation). Any thread; returns at once. If it cannot be
    /// opened, the old one stays and the operational log says so.
    void reopen() noexcept;
    /// Another path or format from now on (reload). Control thread. Throws like the constructor
    /// and then changes nothing.
    void reconfigure(const config::AccessLog& settings);
    /// Lines dropped since the start. Any thread.
    [[nodiscard]] std::uint64_t dropped() const noexcept;
    [[nodiscard]] bool enabled() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace scrollgate
