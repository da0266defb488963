// RemoteLog: the log of purges of another cloud's fleet (`redis.purge_log`), whose tier is its own.
//
// What is purged here is written there, and what is purged there is heard here; both ways, so that
// one of them is enough. A purge has one token in all logs, by which whoever brings it into one
// sees that it is there already. What cannot be written waits, up to limits::tier_unsaid; in place
// of more, one record purges everything there.
//
// One loop's thread. Destroyed after its clients, and when nothing of theirs is under way.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>

#include "cache/redis/client.hpp"
#include "cache/tier/counts.hpp"
#include "cache/tier/log_record.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate::tier {

/// What people are told of one. The log's thread writes, any thread reads.
struct RemoteState {
    std::atomic<std::int64_t> read_at{0};  ///< TimePoint: when its end was read last; 0: never
    std::atomic<Position> position{0};     ///< of the last purge there that was heard
    std::atomic<std::size_t> waiting{0};   ///< purges that are to be written there
    Counts::Counter said{0}, heard{0};
    std::atomic<bool> followed{true};  ///< a node has said there, ever, that it lives
    std::atomic<bool> refuses{false};  ///< its server answers with errors, which the log tells

    /// Its end was read a moment ago, as long as a silent log and the way to it may take.
    [[nodiscard]] bool in_step(TimePoint now) const noexcept {
        const std::int64_t at = read_at.load(std::memory_order_relaxed);
        return at != 0 && now.time_since_epoch() - Duration(at) <
                              Duration(limits::tier_block) + limits::tier_ask;
    }
};

class RemoteLog final : private TimerWheel::Timer {
  public:
    struct Around {
        EventLoop& loop;
        redis::Client& reader;  ///< for blocking reads, its own
        redis::Client& writer;
        std::string prefix;
        Counts& counts;
        RemoteState& state;
        std::string shown;  ///< the server, for the log
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
    [[nodiscard]] Task<Answer> first(const char* command, std::string_view stream, const char* from,
                                     const char* to);
    [[nodiscard]] Task<bool> read_on();
    [[nodiscard]] Task<void> look_for_nodes();
    [[nodiscard]] Task<void> speak();
    void note(const Answer& answer, bool& fails, std::string_view doing) const;
    [[nodiscard]] bool hear(const redis::Reply& reply);
    [[nodiscard]] bool was_away_too_long() const;
    void make_up(Position until);

    Around around_;
    const std::string purges_, nodes_;  ///< the streams' names
    Position place_ = 0;                ///< 0: none yet
    std::deque<LogRecord> unsaid_;
    bool reading_ = false, speaking_ = false, stopped_ = false;
    bool reading_fails_ = false, writing_fails_ = false;  ///< the server said so, last
    bool in_vain_ = false;  ///< the last reading did not wait, and brought nothing
};

}  // namespace scrollgate::tier
