#include "proxy/caching/fill_body.hpp"

#include <algorithm>

namespace scrollgate {

BodyChunk FillBody::take() {
    BodyChunk chunk;
    do {
        const std::uint64_t before = reader_.position();
        chunk.data = reader_.take();
        const std::uint64_t after = before + chunk.data.size();
        if (chunk.data.empty()) break;
        if (after > end_) chunk.data.remove_suffix(after - end_);
        chunk.data.remove_prefix(std::min(first_ - std::min(first_, before), chunk.data.size()));
    } while (chunk.data.empty());
    chunk.end = ended_ = reader_.position() >= end_ || reader_.at_end();
    if (ended_ && trailers_ != nullptr && !trailers_->empty()) chunk.trailers = trailers_;
    return chunk;
}

Task<Result<BodyChunk>> FillBody::pull() {
    const BodyChunk chunk = take();
    if (chunk.end || !chunk.data.empty()) return Task<Result<BodyChunk>>::ready(chunk);
    return wait_and_take();
}

Task<Result<BodyChunk>> FillBody::wait_and_take() {
    for (;;) {
        if (reader_.broken()) co_return reader_.error();
        const FillReader::Woken woken = co_await reader_.more(until_);
        if (woken == FillReader::Woken::interrupted) co_return Error{ErrorKind::cancelled};
        if (woken == FillReader::Woken::late) co_return Error{ErrorKind::request_timeout};
        const BodyChunk chunk = take();
        if (chunk.end || !chunk.data.empty()) co_return chunk;
    }
}

}  // namespace scrollgate
