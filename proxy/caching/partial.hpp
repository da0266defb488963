// Less than the whole of a stored response: 304, 206 with one or several ranges, 416 (RFC 9110
// sections 14, 15.3.7, 15.4.5, 15.5.17).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cache/rules/conditional.hpp"
#include "proxy/caching/entry_body.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// Seconds since 1970, for what compares dates.
[[nodiscard]] std::int64_t wall_seconds(const Exchange& x);

/// Makes `head`, of a stored 200, a 304: without what is about the content that is not sent.
void make_not_modified(ResponseHead& head);

/// Makes x.response, of a 200 with `size` bytes, a 206 with one range of it, in status, fields and
/// length.
void make_partial(Exchange& x, const ByteRange& range, std::uint64_t size);

/// The body of a stored response as a request with ranges gets it. One worker.
class RangesBody final : public BodySource {
  public:
    /// All of `body`, which outlives it.
    RangesBody(Exchange& x, const StoredBody& body) noexcept
        : x_(x), size_(body.size()), body_(body) {}

    /// As EntryBody::lease().
    [[nodiscard]] bool lease() noexcept;
    /// Makes x.response, of a 200, and this body what `ranges` asks for.
    void shape(const Ranges& ranges);

    Task<Result<BodyChunk>> pull() override { return Task<Result<BodyChunk>>::ready(next()); }
    [[nodiscard]] bool ready() const noexcept override { return true; }
    [[nodiscard]] bool ended() const noexcept override { return ended_; }
    void bound(Duration, TimePoint) noexcept override {}
    void interrupt() noexcept override {}
    void resume() noexcept override {}

  private:
    [[nodiscard]] BodyChunk next();
    [[nodiscard]] BodyChunk next_of_many();
    void make_unsatisfiable();
    void make_many(const std::vector<ByteRange>& ranges);

    Exchange& x_;
    const std::uint64_t size_;
    EntryBody body_;
    std::vector<ByteRange> parts_;              ///< several; empty: one, or the whole
    std::vector<std::string_view> separators_;  ///< what stands before each, and behind the last
    std::size_t part_ = 0;
    bool within_ = false;  ///< a part, behind its separator
    bool empty_ = false, ended_ = false;
};

}  // namespace scrollgate
