// Segments: the raw bytes of a Fill, in pieces that are only appended to.
//
// The writer adds at the end; readers walk from piece to piece and count themselves in the one that
// they look into, so that pieces which nobody needs can be let go of from the front. Bytes become
// readable when the Fill publishes a length that covers them: whoever has seen that length may
// follow `next` and read `data` up to it without a lock. What else happens to the chain happens
// under the lock of the Fill.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "cache/store/store.hpp"

namespace scrollgate {

struct FillSegment {
    std::uint64_t begin = 0;                 ///< position of its first byte in the body
    std::size_t capacity = 0;                ///< bytes
    std::size_t charge = 0;                  ///< reserved from the store; 0: there was no room
    FillSegment* next = nullptr;             ///< to be read once a length beyond end() was seen
    std::atomic<std::uint32_t> readers = 0;  ///< that look into it
    std::atomic<bool> cut = false;           ///< out of the chain: its readers read no further

    [[nodiscard]] std::uint64_t end() const noexcept { return begin + capacity; }
    /// Its bytes stand right behind it.
    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
};

class FillSegments {
  public:
    explicit FillSegments(CacheStore& store) noexcept : store_(store) {}
    ~FillSegments();
    FillSegments(const FillSegments&) = delete;
    FillSegments& operator=(const FillSegments&) = delete;

    /// The writer only, without the lock: copies as much of `bytes` as fits behind position
    /// `length` in the last piece, and says how much that was.
    [[nodiscard]] std::size_t fill_last(std::uint64_t length, std::string_view bytes) noexcept;
    /// The writer only, without the lock: a new piece for `capacity` bytes from `begin` on, not
    /// linked yet. Charged to the store if that has room, else with a charge of 0.
    [[nodiscard]] FillSegment* make(std::uint64_t begin, std::size_t capacity);
    /// Under the lock: `first` and what hangs on it is the new end.
    void link(FillSegment* first) noexcept;

    /// Under the lock: takes off the front what no reader looks into, but not the last one unless
    /// `all`. Returns what free() wants.
    [[nodiscard]] FillSegment* take_unread(bool all) noexcept;
    /// Under the lock: somebody looks into a piece behind the first one.
    [[nodiscard]] bool is_read_beyond_front() const noexcept;
    /// Under the lock: takes the first piece, which is not the last, out of the chain. It stays
    /// until take_cut().
    void cut_front() noexcept;
    /// Under the lock: `segment` was cut, and its last reader has gone. Returns what free() wants.
    [[nodiscard]] FillSegment* take_cut(FillSegment* segment) noexcept;
    /// Without the lock: gives back a chain and its charge.
    void free(FillSegment* chain) noexcept;

    /// Under the lock. Null if there is none.
    [[nodiscard]] FillSegment* front() const noexcept { return front_; }
    /// Under the lock: bytes in pieces before the last one.
    [[nodiscard]] std::uint64_t behind() const noexcept {
        return front_ == nullptr ? 0 : last_->begin - front_->begin;
    }

  private:
    CacheStore& store_;
    FillSegment* front_ = nullptr;
    FillSegment* last_ = nullptr;
    FillSegment* cut_ = nullptr;  ///< pieces that were cut, linked by `next`
};

}  // namespace scrollgate
