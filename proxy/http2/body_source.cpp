#include "proxy/http2/body_source.hpp"

#include <algorithm>
#include <utility>

namespace scrollgate {

void Http2BodySource::start(Http2Line& line, http2::SessionStream& stream,
                            const Rules& rules) noexcept {
    line_ = &line;
    stream_ = &stream;
    rules_ = rules;
    bytes_ = 0;
    ended_ = interrupted_ = false;
}

void Http2BodySource::open_tunnel() noexcept {
    ended_ = false;
    rules_.stall = no_limit;
    rules_.until = never;
    rules_.most = limits::unlimited;
}

void Http2BodySource::reset() noexcept {
    if (line_ != nullptr) give_back(waiting_.size());
    waiting_.clear();
    lent_ = 0;
    line_ = nullptr;
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
        return failed(Error{ErrorKind::overloaded});
    }
    gate_.open();
}

void Http2BodySource::finished(const HeaderList* trailers) noexcept {
    finished_ = true;
    trailers_ = trailers;
    gate_.open();
}

void Http2BodySource::failed(const Error& why) noexcept {
    if (!failure_) failure_ = why;
    if (!rules_.all_that_came && lent_ == 0) waiting_.clear();  // nobody will get it
    gate_.open();
}

void Http2BodySource::give_back(std::size_t bytes) noexcept {
    if (bytes > 0) line_->consumed(*stream_, bytes);
}

// ---- the pipeline's side

void Http2BodySource::bound(Duration stall, TimePoint until) noexcept {
    rules_.stall = stall;
    rules_.until = until;
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
        if (interrupted_ && !failure_)
            co_return Error{ErrorKind::cancelled};  // while nobody waited
        gate_.reset();
        const TimePoint stall = after(loop_.now(), rules_.stall);
        const TimePoint first = std::min(stall, rules_.until);
        if (first != never) gate_.limit(first);
        const TimedGate::State passed = co_await gate_.passed();
        if (interrupted_ && !failure_) co_return Error{ErrorKind::cancelled};
        if (Taken taken = take()) co_return std::move(*taken);
        if (passed == TimedGate::State::timed_out) {
            co_return Error{rules_.until < stall ? ErrorKind::request_timeout : rules_.stalled};
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
    const bool more = rules_.all_that_came && !waiting_.empty();
    if (failure_ && !more) return Result<BodyChunk>(*failure_);
    BodyChunk chunk{waiting_.front(), false, nullptr};
    if (chunk.data.empty() && !finished_) return std::nullopt;
    bytes_ += chunk.data.size();
    if (bytes_ > rules_.most) return Result<BodyChunk>(Error{ErrorKind::body_too_large});
    lent_ = chunk.data.size();
    if (finished_ && lent_ == waiting_.size()) {
        chunk.end = ended_ = true;
        chunk.trailers = trailers_;
    }
    return Result<BodyChunk>(chunk);
}

}  // namespace scrollgate
