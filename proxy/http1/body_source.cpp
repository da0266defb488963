#include "proxy/http1/body_source.hpp"

#include <algorithm>
#include <utility>

namespace scrollgate {
namespace {

/// Bodies at least this long are read through a large buffer, or spliced.
constexpr std::uint64_t bulk_from = 4 * limits::buffer_small;
/// Those of unknown length are, while as much as this comes at a time.
constexpr std::size_t bulk_reads = limits::buffer_small / 2;

}  // namespace

void Http1BodySource::start(Connection& connection, const BodyFraming& framing,
                            const Rules& rules) {
    connection_ = &connection;
    framing_ = framing;
    rules_ = rules;
    bytes_ = 0;
    ended_ = !framing.has_body();
    interrupted_ = false;
    carried_ = {};
    if (framing.kind == BodyFraming::Kind::chunked) chunks_.reset();
    long_ = framing.kind == BodyFraming::Kind::length && framing.length >= bulk_from;
    connection.want_bulk(long_);
}

bool Http1BodySource::ready() const noexcept {
    return ended_ || !carried_.empty() || !connection_->received().empty() || connection_->at_end();
}

void Http1BodySource::interrupt() noexcept {
    interrupted_ = true;
    connection_->interrupt();
}

Task<Result<BodyChunk>> Http1BodySource::pull() {
    if (Taken taken = take()) return Task<Result<BodyChunk>>::ready(std::move(*taken));
    return wait_and_take();
}

void Http1BodySource::set_deadline() {
    const TimePoint stall = after(connection_->loop().now(), rules_.stall);
    const bool hard = rules_.until < stall;
    connection_->expire_at(Connection::Way::read, std::min(stall, rules_.until),
                           hard ? rules_.out_of_time : rules_.stalled);
}

/// Why nothing more is to be taken, if so.
std::optional<Error> Http1BodySource::stopped() const noexcept {
    if (const std::optional<ErrorKind> failure = connection_->read_failure())
        return Error{*failure};
    if (interrupted_) return Error{ErrorKind::cancelled};
    return std::nullopt;
}

// A pipe is held only while there is something for it. An end, and whatever is there and is not
// spliced (urgent data), is left to reading.
Task<Result<BodyChunk>> Http1BodySource::pull_piped(PipeLease& pipe) {
    for (bool waited = false;; waited = true) {
        if (const std::optional<Error> error = stopped()) co_return *error;
        // A body that is always there already never waits: nobody else looks at the time.
        if (rules_.until != never && connection_->loop().now() >= rules_.until)
            co_return Error{rules_.out_of_time};
        pipe = connection_->can_splice() ? connection_->loop().pipes().lease() : PipeLease();
        if (!pipe) break;
        const std::uint64_t left = framing_.kind == BodyFraming::Kind::length
                                       ? framing_.length - bytes_
                                       : limits::unlimited;
        if (connection_->splice(*pipe, std::min<std::uint64_t>(left, pipe->size())) > 0)
            co_return piped(*pipe);
        pipe.release();
        if (waited || connection_->at_end()) break;
        set_deadline();
        co_await connection_->readable();
        connection_->expire_at(Connection::Way::read, never, ErrorKind::cancelled);
    }
    if (Taken taken = take()) co_return std::move(*taken);
    co_return co_await wait_and_take();
}

BodyChunk Http1BodySource::piped(Pipe& pipe) noexcept {
    bytes_ += pipe.held();
    if (framing_.kind == BodyFraming::Kind::length) {
        ended_ = bytes_ == framing_.length;
        if (ended_) connection_->want_bulk(false);
    } else {
        long_ = pipe.held() >= bulk_reads;
    }
    BodyChunk chunk;
    chunk.pipe = &pipe;
    chunk.end = ended_;
    return chunk;
}

Task<Result<BodyChunk>> Http1BodySource::wait_and_take() {
    if (const std::optional<Error> error = stopped()) co_return *error;  // while nobody waited
    for (;;) {
        set_deadline();
        const bool came = co_await connection_->more();
        connection_->expire_at(Connection::Way::read, never, ErrorKind::cancelled);
        if (const std::optional<Error> error = stopped()) co_return *error;
        if (!came && connection_->starved()) co_return Error{ErrorKind::overloaded};
        if (Taken taken = take()) co_return std::move(*taken);
        if (!came)
            co_return Error{rules_.cut_short, false, connection_->broken(), "body cut short"};
    }
}

Http1BodySource::Taken Http1BodySource::take() {
    if (ended_) return Result<BodyChunk>(BodyChunk{{}, true, nullptr});
    switch (framing_.kind) {
        case BodyFraming::Kind::chunked:
            return take_chunked();
        case BodyFraming::Kind::until_close:
            return take_until_close();
        case BodyFraming::Kind::none:
        case BodyFraming::Kind::length:
            break;
    }
    return take_length();
}

BodyChunk Http1BodySource::finish(std::string_view data, bool end) {
    bytes_ += data.size();
    ended_ = end;
    if (end) connection_->want_bulk(false);
    return {data, end, nullptr};
}

Http1BodySource::Taken Http1BodySource::take_length() {
    const std::uint64_t left = framing_.length - bytes_;
    std::string_view data = connection_->received();
    if (data.empty()) return std::nullopt;
    if (data.size() > left) data = data.substr(0, left);
    connection_->consume(data.size());
    return Result<BodyChunk>(finish(data, data.size() == left));
}

Http1BodySource::Taken Http1BodySource::take_until_close() {
    const std::string_view data = connection_->received();
    const bool clean_end = connection_->at_end() && !connection_->broken();
    if (data.empty() && !clean_end) return std::nullopt;
    long_ = data.size() >= bulk_reads;
    connection_->want_bulk(long_);
    connection_->consume(data.size());
    return Result<BodyChunk>(finish(data, clean_end));
}

// One chunk goes out at a time, but the end that stands right behind it goes with it, so that a
// small body leaves in one write. A chunk met in search of the end is carried to the next pull.
Http1BodySource::Taken Http1BodySource::take_chunked() {
    using Kind = http1::ChunkDecoder::Step::Kind;
    std::string_view data = std::exchange(carried_, {});
    for (;;) {
        const std::string_view input = connection_->received();
        if (!data.empty() && !input.starts_with("\r\n0")) {
            return Result<BodyChunk>(finish(data, false));
        }
        const auto step = chunks_.next(input);
        connection_->consume(step.consumed);
        if (step.kind == Kind::failed) {
            return Result<BodyChunk>(Error{rules_.malformed, false, {}, step.detail});
        }
        if (step.kind == Kind::done) {
            BodyChunk last = finish(data, true);
            last.trailers = chunks_.trailers().empty() ? nullptr : &chunks_.trailers();
            return Result<BodyChunk>(last);
        }
        if (step.kind == Kind::need_more) {
            if (data.empty()) return std::nullopt;
            return Result<BodyChunk>(finish(data, false));
        }
        if (bytes_ + data.size() + step.data.size() > rules_.most) {
            return Result<BodyChunk>(Error{rules_.too_large});
        }
        connection_->want_bulk(step.data.size() >= bulk_reads);
        if (!data.empty()) {
            carried_ = step.data;
            return Result<BodyChunk>(finish(data, false));
        }
        data = step.data;
    }
}

}  // namespace scrollgate
