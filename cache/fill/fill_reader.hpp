// FillReader: one who reads a Fill along, on the worker where its client is.
//
// From its making to its end it counts as a reader, which paces the writer: whoever wants only the
// head (HEAD, 304) lets go of it then. A wait ends when what it waits for is there, when its time
// has come, or when it is interrupted; always in a later step of its own loop. Never destroyed
// while somebody waits in it. One worker; no locks of its own.
#pragma once

#include <coroutine>
#include <cstdint>
#include <string_view>

#include "cache/fill/fill.hpp"
#include "core/net/event_loop.hpp"
#include "core/timer_wheel.hpp"

namespace scrollgate {

class FillReader final : private TimerWheel::Timer {
  public:
    /// How a wait ended.
    enum class Woken : std::uint8_t {
        ready,
        late,         ///< `until` has passed
        interrupted,  ///< interrupt()
    };

    /// Reads `fill` from its first byte. Make it at once when the fill was joined, a leader before
    /// the origin is asked.
    FillReader(FillRef fill, EventLoop& loop);
    ~FillReader() override;
    FillReader(const FillReader&) = delete;
    FillReader& operator=(const FillReader&) = delete;

    /// The beginning was let go of before this reader came: nothing can be read. If
    /// fill().entry() is null, too, look into the store and join_or_lead() again.
    [[nodiscard]] bool missed() const noexcept { return missed_; }
    [[nodiscard]] const Fill& fill() const noexcept { return *fill_; }

    /// Awaitable of Woken; ready: fill().state() is no longer asking. `never` for no deadline.
    [[nodiscard]] auto head(TimePoint until) noexcept { return Wait{*this, For::head, until}; }
    /// Awaitable of Woken; ready: take() gives bytes, or the fill is over.
    [[nodiscard]] auto more(TimePoint until) noexcept { return Wait{*this, For::bytes, until}; }
    /// more() would not have to wait.
    [[nodiscard]] bool ready() const noexcept { return satisfied(For::bytes); }

    /// The next bytes, in one piece, which are read now; empty: none have come yet, or missed().
    /// The view is good until the next take().
    [[nodiscard]] std::string_view take();
    /// Bytes taken.
    [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
    /// The body is whole, and all of it was taken.
    [[nodiscard]] bool at_end() const noexcept;
    /// Nothing more can be read: error() tells why.
    [[nodiscard]] bool broken() const noexcept;
    /// The fill has failed or was abandoned: its error; or the reader was too slow for others.
    [[nodiscard]] Error error() const;

    /// A wait ends soon with `interrupted`, and so does every other one before resume().
    void interrupt();
    void resume() noexcept { interrupted_ = false; }

  private:
    friend class Fill;
    enum class For : std::uint8_t { head, bytes };

    struct Wait {
        FillReader& reader;
        For what;
        TimePoint until;
        bool await_ready() const noexcept { return reader.interrupted_ || reader.satisfied(what); }
        bool await_suspend(std::coroutine_handle<> waiting) const {
            return reader.wait(waiting, what, until);
        }
        Woken await_resume() const noexcept { return reader.woken(what); }
    };

    [[nodiscard]] bool satisfied(For what) const noexcept;
    [[nodiscard]] bool wait(std::coroutine_handle<> waiting, For what, TimePoint until);
    [[nodiscard]] Woken woken(For what) const noexcept;
    void expired() noexcept override;
    void stop_waiting();
    void go_on();

    const FillRef fill_;
    EventLoop& loop_;
    FillSegment* at_ = nullptr;  ///< counted there; null: not started
    std::uint64_t position_ = 0;
    bool missed_ = false;
    bool cut_off_ = false;  ///< by the fill, which could not wait for it
    bool interrupted_ = false;

    // Under the fill's lock while it is in a queue.
    FillReader* previous_ = nullptr;
    FillReader* next_ = nullptr;
    std::coroutine_handle<> waiting_;  ///< null: not in a queue
    For what_ = For::head;
};

}  // namespace scrollgate
