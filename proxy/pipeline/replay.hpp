// ReplayBody: a request's body that can be sent again.
//
// Stands between the client's BodySource and the attempts. What is pulled through it is kept up to
// a bound; after rewind() the same bytes come again, then those that nobody has pulled yet. Beyond
// the bound, or beyond what all kept bodies of the worker may take, or with trailers, it lets go of
// what it kept and is only a pipe. One worker; no locks.
#pragma once

#include <string>

#include "core/limits.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

/// Bytes that all kept bodies of one worker hold.
struct ReplayMemory {
    std::size_t used = 0;
    static constexpr std::size_t most = limits::replay_memory;
};

class ReplayBody final : public BodySource {
  public:
    ~ReplayBody() override { reset(); }

    /// From now on gives what `source` gives, and keeps up to `most` bytes of it.
    void start(BodySource& source, std::uint64_t most, ReplayMemory& memory);
    /// Gives the memory back.
    void reset() noexcept;
    /// All that was pulled is kept: it can be given again. True before the first pull. False
    /// without start().
    [[nodiscard]] bool whole() const noexcept { return source_ != nullptr && whole_; }
    /// Bytes were pulled and are kept.
    [[nodiscard]] bool begun() const noexcept { return !kept_.empty(); }
    /// The next pull() gives the first byte again; whole() must hold, and no pull be pending.
    void rewind() noexcept;

    Task<Result<BodyChunk>> pull() override;
    /// Only what nobody keeps.
    [[nodiscard]] bool can_pipe() const noexcept override {
        return !whole_ && !kept_left() && source_->can_pipe();
    }
    Task<Result<BodyChunk>> pull_piped(PipeLease& pipe) override;
    [[nodiscard]] bool ready() const noexcept override;
    [[nodiscard]] bool ended() const noexcept override;
    void bound(Duration stall, TimePoint until) noexcept override { source_->bound(stall, until); }
    void interrupt() noexcept override { source_->interrupt(); }
    void resume() noexcept override { source_->resume(); }

  private:
    [[nodiscard]] bool kept_left() const noexcept { return at_ < kept_.size(); }
    [[nodiscard]] BodyChunk again() noexcept;
    Task<Result<BodyChunk>> pull_on();
    void keep(const BodyChunk& chunk);
    void let_go() noexcept;

    BodySource* source_ = nullptr;
    ReplayMemory* memory_ = nullptr;
    std::uint64_t most_ = 0;
    std::string kept_;
    std::size_t at_ = 0;  ///< bytes of kept_ that were given since the last rewind()
    bool whole_ = false, end_given_ = false;
};

}  // namespace scrollgate
