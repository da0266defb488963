// What the load generator's clients share, whatever the version of HTTP.
#pragma once

#include <coroutine>
#include <optional>

#include <boost/system/error_code.hpp>

#include "bench/load/load_worker.hpp"
#include "core/message.hpp"
#include "core/net/connection.hpp"
#include "core/task.hpp"

namespace scrollgate::bench {

/// Of one response head; more is malformed.
inline constexpr std::uint32_t head_bytes = 16 * 1024, head_fields = 256;

/// The beginning of `job`'s sample.
[[nodiscard]] Sample begin_sample(const Job& job) noexcept;

/// Takes from a response head what a sample keeps of it.
void note_head(const ResponseHead& head, LoadWorker& worker, Sample& sample);

/// Connects `connection` to `address`, by `until` at the latest; what went wrong, if anything.
[[nodiscard]] Task<std::optional<Failure>> connect(Connection& connection,
                                                   const SocketAddress& address, TimePoint until);

/// Why a connection gave nothing more; `otherwise` for a plain end, and for one that TLS calls too
/// early.
[[nodiscard]] Failure lost_because(const Connection& connection, Failure otherwise) noexcept;

/// The pauses of a client whom nobody lets in: from 1 ms, doubled up to 100 ms.
class Backoff final : private TimerWheel::Timer {
  public:
    explicit Backoff(LoadWorker& worker) noexcept;

    /// Whether the client is to wait() after this sample.
    [[nodiscard]] bool due_after(const Sample& sample) noexcept;
    /// co_await backoff.wait()
    auto wait() noexcept {
        struct Awaiter {
            Backoff& self;
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<> h) const { self.begin(h); }
            void await_resume() const noexcept {}
        };
        return Awaiter{*this};
    }

  private:
    void begin(std::coroutine_handle<> waiting);
    void expired() noexcept override { waiting_.resume(); }

    LoadWorker& worker_;
    Duration pause_;
    std::coroutine_handle<> waiting_;
};

}  // namespace scrollgate::bench
