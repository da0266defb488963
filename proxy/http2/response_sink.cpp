#include "proxy/http2/response_sink.hpp"

#include <algorithm>

#include "proxy/http2/body_source.hpp"
#include "proxy/http2/session.hpp"

namespace scrollgate {

void Http2ResponseSink::start(Http2Session& session, http2::ServerStream& stream,
                              Http2BodySource& body, Duration stall) noexcept {
    session_ = &session;
    stream_ = &stream;
    body_ = &body;
    stall_ = stall;
    until_ = never;
    given_ = 0;
    bodiless_ = committed_ = aborted_ = false;
}

void Http2ResponseSink::reset() noexcept {
    fields_.clear();
    chunk_ = {};
    failure_.reset();
    gate_.reset();
}

// ---- the stream's side

http2::BodyPart Http2ResponseSink::fill(std::span<char> into) noexcept {
    const std::size_t part = chunk_.data.copy(into.data(), into.size());
    chunk_.data.remove_prefix(part);
    given_ += part;
    if (!chunk_.data.empty()) return {part, false, nullptr};
    gate_.open();
    return {part, chunk_.end, chunk_.trailers};
}

void Http2ResponseSink::failed(ErrorKind why) noexcept {
    if (!failure_) failure_ = why;
    gate_.open();
}

// ---- heads

void Http2ResponseSink::keep_fields(const ResponseHead& head, std::string_view lines) {
    std::size_t size = lines.size();
    for (const HeaderField& field : head.fields)
        size += field.name.size() + field.value.size();
    text_.resize(size);
    fields_.clear();
    char* at = text_.data() + lines.copy(text_.data(), lines.size());
    keep_lines({text_.data(), lines.size()});
    for (const HeaderField& field : head.fields) {
        const std::string_view name(at, field.name.copy(at, field.name.size()));
        at += name.size();
        const std::string_view value(at, field.value.copy(at, field.value.size()));
        at += value.size();
        fields_.add(name, value, field.id);
    }
}

// As a head writer made them: "Name: value" and a line's end, without exception.
void Http2ResponseSink::keep_lines(std::string_view lines) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n"));
        const std::size_t colon = line.find(": ");
        fields_.add(line.substr(0, colon), line.substr(colon + 2));
        lines.remove_prefix(line.size() + 2);
    }
}

void Http2ResponseSink::head(const ResponseHead& head, std::string_view lines) {
    keep_fields(head, lines);
    status_ = head.status;
    framing_ = announced_body(head, method_);
    bodiless_ = never_has_body(method_, head.status);
}

bool Http2ResponseSink::commit(bool with_body) {
    committed_ = true;
    const bool there = session_->respond(*stream_, status_, fields_, framing_, with_body);
    if (!there && !failure_) failure_ = ErrorKind::client_closed;
    return there;
}

Task<Result<void>> Http2ResponseSink::interim(const ResponseHead& head) {
    if (!failure_ && !committed_) session_->inform(*stream_, head.status, head.fields);
    return Task<Result<void>>::ready(Result<void>());
}

// An extended CONNECT succeeds with 200 (RFC 8441 section 5); what speaks of the upgrade stays
// here.
Task<Result<void>> Http2ResponseSink::upgrade(const ResponseHead& head, std::string_view) {
    keep_fields(head, {});
    fields_.remove(Field::sec_websocket_accept);
    status_ = 200;
    framing_ = {BodyFraming::Kind::chunked, 0};
    body_->open_tunnel();
    return flush();
}

// ---- the body

void Http2ResponseSink::bound(Duration stall, TimePoint until) noexcept {
    stall_ = stall;
    until_ = until;
}

Task<Result<void>> Http2ResponseSink::flush() {
    if (!failure_ && !committed_ && status_ != 0) static_cast<void>(commit(!bodiless_));
    if (failure_) return Task<Result<void>>::ready(Result<void>(Error{*failure_}));
    return Task<Result<void>>::ready(Result<void>());
}

Task<Result<void>> Http2ResponseSink::write(const BodyChunk& chunk) {
    if (failure_) return Task<Result<void>>::ready(Result<void>(Error{*failure_}));
    chunk_ = chunk;
    if (bodiless_) chunk_.data = {};
    const bool something = !chunk_.data.empty() || (chunk.end && chunk.trailers != nullptr);
    if (!committed_) {
        const bool with_body = !bodiless_ && (something || !chunk.end);
        if (!commit(with_body)) return Task<Result<void>>::ready(Result<void>(Error{*failure_}));
        if (!with_body) return Task<Result<void>>::ready(Result<void>());
    } else if (bodiless_) {
        return Task<Result<void>>::ready(Result<void>());
    } else {
        session_->more_to_send(*stream_);
    }
    if (!something && !chunk.end) return Task<Result<void>>::ready(Result<void>());
    return taken();
}

// Waits for fill() to take it all.
Task<Result<void>> Http2ResponseSink::taken() {
    gate_.reset();
    for (;;) {
        const std::uint64_t before = given_;
        const TimePoint stall = after(loop_.now(), stall_);
        const TimePoint first = std::min(stall, until_);
        if (first != never) gate_.limit(first);
        const TimedGate::State passed = co_await gate_.passed();
        if (failure_) co_return Error{*failure_};
        if (passed != TimedGate::State::timed_out) co_return Result<void>();
        if (loop_.now() >= until_) co_return Error{ErrorKind::request_timeout};
        if (given_ == before) co_return Error{ErrorKind::client_stalled};
        gate_.reset();
    }
}

}  // namespace scrollgate
