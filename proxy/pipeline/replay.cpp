#include "proxy/pipeline/replay.hpp"

#include <utility>

namespace scrollgate {

void ReplayBody::start(BodySource& source, std::uint64_t most, ReplayMemory& memory) {
    reset();
    source_ = &source;
    memory_ = &memory;
    most_ = most;
    whole_ = true;
}

void ReplayBody::reset() noexcept {
    let_go();
    source_ = nullptr;
    end_given_ = false;
}

void ReplayBody::rewind() noexcept {
    at_ = 0;
    end_given_ = false;
    source_->resume();
}

Task<Result<BodyChunk>> ReplayBody::pull() {
    if (kept_left() || source_->ended()) return Task<Result<BodyChunk>>::ready(again());
    return pull_on();
}

bool ReplayBody::ready() const noexcept {
    return kept_left() || source_->ended() || source_->ready();
}

bool ReplayBody::ended() const noexcept {
    return source_->ended() && end_given_;
}

BodyChunk ReplayBody::again() noexcept {
    BodyChunk chunk;
    chunk.data = std::string_view(kept_).substr(std::exchange(at_, kept_.size()));
    chunk.end = end_given_ = source_->ended();
    return chunk;
}

Task<Result<BodyChunk>> ReplayBody::pull_on() {
    const Result<BodyChunk> chunk = co_await source_->pull();
    if (chunk) {
        if (whole_) keep(*chunk);
        end_given_ = chunk->end;
    }
    co_return chunk;
}

Task<Result<BodyChunk>> ReplayBody::pull_piped(PipeLease& pipe) {
    const Result<BodyChunk> chunk = co_await source_->pull_piped(pipe);
    if (chunk) end_given_ = chunk->end;
    co_return chunk;
}

void ReplayBody::keep(const BodyChunk& chunk) {
    const std::size_t size = chunk.data.size();
    if (chunk.trailers != nullptr || kept_.size() + size > most_ ||
        memory_->used + size > ReplayMemory::most) {
        return let_go();
    }
    memory_->used += size;
    kept_.append(chunk.data);
    at_ = kept_.size();
}

void ReplayBody::let_go() noexcept {
    if (memory_ != nullptr) memory_->used -= kept_.size();
    std::string().swap(kept_);
    at_ = 0;
    whole_ = false;
}

}  // namespace scrollgate
