// RemoteLog: the log of purges of another cloud's fleet (`redis.purge_log`), whose tier is its own.
//
// What is purged here is written there, and what is purged there is heard here; both ways, so that
// one of them is enough. A purge has one token in all logs, by which whoever brings it into one
// sees that it is there already. What cannot be written waits, up to limits::tier_unsaid.
//
// One loop's thread. Destroyed after its clients, and when nothing of theirs is under way.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "cache/redis/client.hpp"
#include "cache/tier/counts.hpp"
#include "cache/tier/log_record.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate::tier {

class RemoteLog final : private TimerWheel::Timer {
  public:
    struct Around {
        EventLoop& loop;
        redis::Client& reader;  ///< for blocking reads, its own
        redis::Client& writer;
        std::string prefix;
        Counts& counts;
        std::function<void(const LogRecord&)> heard;
    };

    explicit RemoteLog(Around around);
    ~RemoteLog() override = default;

    void start();
    /// Before the clients are destroyed.
    void stop() noexcept;
    void say(const LogRecord& record);

  private:
    using Answer = Result<redis::Reply>;

    void expired() noexcept override;
    [[nodiscard]] Task<void> follow();
    [[nodiscard]] Task<bool> find_place();
    [[nodiscard]] Task<Answer> first(const char* command, const char* from, const char* to);
    [[nodiscard]] Task<bool> read_on();
    [[nodiscard]] Task<void> speak();

    Around around_;
    const std::string purges_;
    Position place_ = 0;  ///< 0: none yet
    std::deque<LogRecord> unsaid_;
    bool reading_ = false, speaking_ = false, stopped_ = false;
};

}  // namespace scrollgate::tier
