#include "proxy/http1/body_source.hpp"

#include <algorithm>
#include <utility>

namespace scrollgate {
namespace {

/// Bodies at least this long are read through a large buffer.
constexpr std::uint64_t bulk_from = 4 * limits::buffer_small;

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
    connection.want_bulk(framing.kind == BodyFraming::Kind::length && framing.length >= bulk_from);
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

Task<Result<BodyChunk>> Http1BodySource::wait_and_take() {
    for (;;) {
        const TimePoint stall = after(connection_->loop().now(), rules_.stall);
        const bool hard = rules_.until < stall;
        connection_->expire_at(Connection::Way::read, std::min(stall, rules_.until),
                               hard ? rules_.out_of_time : rules_.stalled);
        const bool came = co_await connection_->more();
        connection_->expire_at(Connection::Way::read, never, ErrorKind::cancelled);
        if (const std::optional<ErrorKind> failure = connection_->read_failure()) {
            co_return Error{*failure};
        }
        if (interrupted_) co_return Error{ErrorKind::cancelled};
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
    connection_->want_bulk(data.size() >= limits::buffer_small / 2);
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
        connection_->want_bulk(step.data.size() >= limits::buffer_small / 2);
        if (!data.empty()) {
            carried_ = step.data;
            return Result<BodyChunk>(finish(data, false));
        }
        data = step.data;
    }
}

}  // namespace scrollgate
