#include "proxy/http2/body_source.hpp"

#include <algorithm>
#include <utility>

#include "proxy/http2/session.hpp"

namespace scrollgate {

void Http2BodySource::start(Http2Session& session, http2::ServerStream& stream, Duration stall,
                            std::uint64_t most) noexcept {
    session_ = &session;
    stream_ = &stream;
    stall_ = stall;
    most_ = most;
    until_ = never;
    bytes_ = 0;
    ended_ = interrupted_ = false;
}

void Http2BodySource::open_tunnel() noexcept {
    ended_ = false;
    stall_ = no_limit;
    until_ = never;
    most_ = limits::unlimited;
}

void Http2BodySource::reset() noexcept {
    if (session_ != nullptr) give_back(waiting_.size());
    waiting_.clear();
    lent_ = 0;
    session_ = nullptr;
    stream_ = nullptr;
    trailers_ = nullptr;
    failure_.reset();
    finished_ = false;
    gate_.reset();
}

// ---- the stream's side

void Http2BodySource::came(std::string_view bytes) {
    if (failure_) return give_back(bytes.size());
    const std::size_t before = waiting_.size();
    if (!waiting_.append(loop_.small_buffers(), bytes)) {
        give_back(bytes.size() - (waiting_.size() - before));
        return failed(ErrorKind::overloaded);
    }
    gate_.open();
}

void Http2BodySource::finished(const HeaderList* trailers) noexcept {
    finished_ = true;
    trailers_ = trailers;
    gate_.open();
}

void Http2BodySource::failed(ErrorKind why) noexcept {
    if (!failure_) failure_ = why;
    gate_.open();
}

void Http2BodySource::give_back(std::size_t bytes) noexcept {
    if (bytes > 0) session_->consumed(*stream_, bytes);
}

// ---- the pipeline's side

void Http2BodySource::bound(Duration stall, TimePoint until) noexcept {
    stall_ = stall;
    until_ = until;
}

void Http2BodySource::interrupt() noexcept {
    interrupted_ = true;
    gate_.open();
}

Task<Result<BodyChunk>> Http2BodySource::pull() {
    if (Taken taken = take()) return Task<Result<BodyChunk>>::ready(std::move(*taken));
    return wait_and_take();
}

Task<Result<BodyChunk>> Http2BodySource::wait_and_take() {
    for (;;) {
        gate_.reset();
        const TimePoint stall = after(loop_.now(), stall_);
        const TimePoint first = std::min(stall, until_);
        if (first != never) gate_.limit(first);
        const TimedGate::State passed = co_await gate_.passed();
        if (interrupted_ && !failure_) co_return Error{ErrorKind::cancelled};
        if (Taken taken = take()) co_return std::move(*taken);
        if (passed == TimedGate::State::timed_out) {
            co_return Error{until_ < stall ? ErrorKind::request_timeout : ErrorKind::body_timeout};
        }
    }
}

Http2BodySource::Taken Http2BodySource::take() {
    if (lent_ > 0) {
        const std::size_t done = std::exchange(lent_, 0);
        waiting_.consume(done);
        give_back(done);
    }
    if (ended_) return Result<BodyChunk>(BodyChunk{{}, true, nullptr});
    if (failure_) return Result<BodyChunk>(Error{*failure_});
    BodyChunk chunk{waiting_.front(), false, nullptr};
    if (chunk.data.empty() && !finished_) return std::nullopt;
    bytes_ += chunk.data.size();
    if (bytes_ > most_) return Result<BodyChunk>(Error{ErrorKind::body_too_large});
    lent_ = chunk.data.size();
    if (finished_ && lent_ == waiting_.size()) {
        chunk.end = ended_ = true;
        chunk.trailers = trailers_;
    }
    return Result<BodyChunk>(chunk);
}

}  // namespace scrollgate
