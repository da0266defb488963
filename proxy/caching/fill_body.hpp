// FillBody: the body of a response that a fill brings, or a range of it, as a BodySource.
//
// The FillReader reads from the first byte, so what stands before the range is passed over.
// Trailers are the leader's alone; a range has none. One worker.
#pragma once

#include "cache/fill/fill_reader.hpp"
#include "cache/rules/conditional.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

class FillBody final : public BodySource {
  public:
    /// All that `reader`, which outlives it, gives, until `until` at the latest; behind the end
    /// `trailers` as they are then. Null: none.
    FillBody(FillReader& reader, TimePoint until, const HeaderList* trailers) noexcept
        : reader_(reader), until_(until), trailers_(trailers) {}

    /// Only the bytes of `range`. Before the first pull().
    void only(const ByteRange& range) noexcept {
        first_ = range.first;
        end_ = range.last + 1;
        trailers_ = nullptr;
    }

    Task<Result<BodyChunk>> pull() override;
    [[nodiscard]] bool ready() const noexcept override { return ended_ || reader_.ready(); }
    [[nodiscard]] bool ended() const noexcept override { return ended_; }
    void bound(Duration, TimePoint until) noexcept override { until_ = until; }
    void interrupt() noexcept override { reader_.interrupt(); }
    void resume() noexcept override { reader_.resume(); }

  private:
    [[nodiscard]] Task<Result<BodyChunk>> wait_and_take();
    /// What is there by now; neither bytes nor the end: nothing.
    [[nodiscard]] BodyChunk take();

    FillReader& reader_;
    TimePoint until_;
    const HeaderList* trailers_;
    std::uint64_t first_ = 0, end_ = UINT64_MAX;  ///< positions in the body
    bool ended_ = false;
};

}  // namespace scrollgate
