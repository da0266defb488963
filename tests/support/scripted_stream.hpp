// The second implementation of Stream and Dialer: a peer that a test plays.
//
// A ScriptedPeer is the far end of one stream and outlives it. What it sends, how much it takes,
// how a connect ends: the test says, or a callback that is run whenever the stream has done
// something. Completions come through EventLoop::post(), so order is that of the loop and nothing
// is timed. Faults strikes the Nth operation of all streams that share it, counts what is open, and
// notes every breach of Stream's rules. One thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/net/dialer.hpp"

namespace scrollgate::test {

/// Far ahead of the machine's steady clock: the event loop's real timer never rings in a test.
struct FarClock {
    FarClock() noexcept { clock.advance(std::chrono::hours(24 * 365 * 30)); }
    ManualClock clock;
};

/// Strikes one operation out of all that are started, and counts streams.
class Faults {
  public:
    enum class Way : std::uint8_t {
        none,
        reset,       ///< fails at once
        late_reset,  ///< fails when it would have ended well; a write takes half of its bytes first
        end,         ///< the peer's end of stream; a connect or a write fails
        stall,       ///< never completes
    };

    /// The `nth` operation (from 1) goes wrong in this way.
    void strike(std::size_t nth, Way way) noexcept {
        nth_ = nth;
        way_ = way;
    }
    /// Runs `call` beside the `nth` operation, which goes well.
    void beside(std::size_t nth, std::function<void()> call) {
        strike(nth, Way::none);
        call_ = std::move(call);
    }
    /// Counts one operation and tells how it goes.
    [[nodiscard]] Way next() {
        if (++seen_ != nth_) return Way::none;
        if (call_) call_();
        return way_;
    }
    [[nodiscard]] std::size_t seen() const noexcept { return seen_; }
    [[nodiscard]] bool struck() const noexcept { return nth_ != 0 && seen_ >= nth_; }

    std::size_t alive = 0;                ///< Stream objects
    std::size_t open = 0;                 ///< of these: not closed
    std::vector<std::string> complaints;  ///< breaches of the rules of Stream

  private:
    std::size_t nth_ = 0, seen_ = 0;
    Way way_ = Way::none;
    std::function<void()> call_;
};

/// The far end of one scripted stream.
class ScriptedPeer final : public std::enable_shared_from_this<ScriptedPeer> {
  public:
    ScriptedPeer(EventLoop& loop, Faults& faults) noexcept : loop_(loop), faults_(faults) {}

    // -- the script
    /// The bytes of one read (or of several, if the reader has less room).
    void send(std::string bytes);
    /// FIN behind everything that was sent.
    void finish();
    /// Reads and writes fail from now on; what was sent and not read is lost.
    void reset();
    /// How many bytes are taken from now on before writes would block; no limit at first.
    void window(std::size_t bytes);
    /// How start_connect() ends; well, if nothing is said.
    void connect_result(boost::system::error_code error) noexcept { connect_result_ = error; }
    /// start_connect() does not end before let_connect().
    void hold_connect() noexcept { connect_held_ = true; }
    void let_connect() {
        connect_held_ = false;
        poke();
    }
    /// Run through the loop after the stream was written to, shut down or closed.
    void on_change(std::function<void(ScriptedPeer&)> call) { on_change_ = std::move(call); }

    // -- what happened
    [[nodiscard]] const std::string& written() const noexcept { return written_; }
    /// Everything that was sent.
    [[nodiscard]] const std::string& sent() const noexcept { return sent_; }
    /// Calls of try_write() that took bytes.
    [[nodiscard]] std::size_t writes() const noexcept { return writes_; }
    /// Bytes that were read from us.
    [[nodiscard]] std::size_t delivered() const noexcept { return delivered_; }
    /// Our reader sees the end: shutdown_write(), or the stream is closed.
    [[nodiscard]] bool saw_end() const noexcept { return shut_ || !open_; }
    [[nodiscard]] bool closed() const noexcept { return !open_; }
    [[nodiscard]] bool closed_by_reset() const noexcept { return closed_by_reset_; }
    [[nodiscard]] bool broken() const noexcept { return broken_.failed(); }
    [[nodiscard]] bool read_pending() const noexcept { return reader_ != nullptr; }
    [[nodiscard]] bool waits_readable() const noexcept { return reader_ != nullptr && read_waits_; }
    [[nodiscard]] const SocketAddress& address() const noexcept { return address_; }

    /// For scripts: how far this peer has got.
    std::size_t step = 0;

  private:
    friend class ScriptedStream;
    using Way = Faults::Way;

    void started();
    void gone() noexcept;
    void connect(const SocketAddress& peer, IoHandler& handler);
    void read(std::span<char> into, bool waits, IoHandler& handler);
    void cancel_read() noexcept;
    [[nodiscard]] bool quiet() const noexcept;
    IoResult write(std::span<const iovec> data) noexcept;
    void wait_writable(IoHandler& handler);
    void shut() noexcept;
    void close(bool reset) noexcept;

    void poke();
    void changed();
    void break_off(int error);
    void serve_read();
    void serve_write();
    void complain(const char* what) { faults_.complaints.emplace_back(what); }

    EventLoop& loop_;
    Faults& faults_;
    std::deque<std::string> input_;
    std::string written_, sent_;
    std::function<void(ScriptedPeer&)> on_change_;
    boost::system::error_code connect_result_, broken_;
    SocketAddress address_;
    IoHandler* reader_ = nullptr;
    IoHandler* writer_ = nullptr;  ///< of a connect or a wait
    std::span<char> into_;
    Way read_way_ = Way::none, write_way_ = Way::none;
    std::size_t window_ = SIZE_MAX, delivered_ = 0, writes_ = 0;
    bool connect_held_ = false;
    bool read_waits_ = false, read_cancelled_ = false, connecting_ = false, connected_once_ = false;
    bool ended_ = false, shut_ = false, open_ = true, closed_by_reset_ = false;
};

/// A stream that is connected to `peer` already (a client's).
[[nodiscard]] std::unique_ptr<Stream> make_scripted_stream(std::shared_ptr<ScriptedPeer> peer);

/// Makes scripted streams; `on_connect` writes the script of each when its address is known.
class ScriptedDialer final : public Dialer {
  public:
    explicit ScriptedDialer(Faults& faults) noexcept : faults_(faults) {}

    std::unique_ptr<Stream> open(EventLoop& loop, const DialPlan& plan) override;

    /// Called for each start_connect(), before it ends.
    std::function<void(ScriptedPeer&)> on_connect;
    /// Every far end, in the order of open().
    std::vector<std::shared_ptr<ScriptedPeer>> peers;

  private:
    Faults& faults_;
};

}  // namespace scrollgate::test
