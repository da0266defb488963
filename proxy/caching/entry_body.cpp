#include "proxy/caching/entry_body.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {

bool EntryBody::lease(EventLoop& loop) noexcept {
    if (!body_.compressed()) return true;
    const std::uint64_t most = std::min<std::uint64_t>(body_.size(), limits::cache_block);
    BufferPool& small = loop.small_buffers();
    scratch_ = most <= small.buffer_size() ? small.lease() : loop.block_buffers().lease();
    return static_cast<bool>(scratch_);
}

BodyChunk EntryBody::next() {
    given_ = true;
    if (at_ == end_) return {{}, true, nullptr};
    const std::span<char> room(scratch_.data(), scratch_ ? scratch_.size() : 0);
    std::string_view data = body_.read(at_, room);
    data = data.substr(0, end_ - at_);
    at_ += data.size();
    return {data, at_ == end_, nullptr};
}

}  // namespace scrollgate
