// EntryBody: the body of a stored response, or a part of it, as a BodySource that never waits.
//
// A raw block is given as a view into the entry; a compressed one is unpacked into a buffer that is
// leased from the loop for as long as the body is sent. The StoredBody outlives it. One worker.
#pragma once

#include "cache/rules/conditional.hpp"
#include "cache/store/body.hpp"
#include "core/net/event_loop.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class EntryBody final : public BodySource {
  public:
    /// All of `body`.
    explicit EntryBody(const StoredBody& body) noexcept : body_(body), end_(body.size()) {}

    /// Leases what unpacking needs. False: no buffer is free. Before the first pull().
    [[nodiscard]] bool lease(EventLoop& loop) noexcept;
    /// From now on only the bytes of `range`, which lies within the body.
    void only(const ByteRange& range) noexcept {
        at_ = range.first;
        end_ = range.last + 1;
    }
    /// The next piece; its end is the end of what was asked for. Nothing is left behind it: empty.
    [[nodiscard]] BodyChunk next();

    Task<Result<BodyChunk>> pull() override { return Task<Result<BodyChunk>>::ready(next()); }
    [[nodiscard]] bool ready() const noexcept override { return true; }
    [[nodiscard]] bool ended() const noexcept override { return given_ && at_ == end_; }
    void bound(Duration, TimePoint) noexcept override {}
    void interrupt() noexcept override {}
    void resume() noexcept override {}

  private:
    const StoredBody& body_;
    std::uint64_t at_ = 0, end_;
    BufferLease scratch_;
    bool given_ = false;
};

}  // namespace scrollgate
