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
    out_.start(stall, ErrorKind::client_stalled);
    bodiless_ = committed_ = aborted_ = false;
}

void Http2ResponseSink::reset() noexcept {
    fields_.clear();
    out_.reset();
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
    if (!there) failed(ErrorKind::client_closed);
    return there;
}

Task<Result<void>> Http2ResponseSink::interim(const ResponseHead& head) {
    if (!out_.failure() && !committed_) session_->inform(*stream_, head.status, head.fields);
    return Task<Result<void>>::ready(Result<void>());
}

// An extended CONNECT succeeds with 200 (RFC 8441 section 5); what speaks of the upgrade stays
// here.
Task<Result<void>> Http2ResponseSink::upgrade(const ResponseHead& head, std::string_view) {
    keep_fields(head, {});
    status_ = 200;
    framing_ = {BodyFraming::Kind::chunked, 0};
    body_->open_tunnel();
    return flush();
}

// ---- the body

Task<Result<void>> Http2ResponseSink::flush() {
    if (!out_.failure() && !committed_ && status_ != 0) static_cast<void>(commit(!bodiless_));
    if (out_.failure()) return Task<Result<void>>::ready(Result<void>(*out_.failure()));
    return Task<Result<void>>::ready(Result<void>());
}

Task<Result<void>> Http2ResponseSink::write(const BodyChunk& chunk) {
    if (out_.failure()) return Task<Result<void>>::ready(Result<void>(*out_.failure()));
    BodyChunk given = chunk;
    if (bodiless_) given.data = {};
    out_.put(given);
    const bool something = !given.data.empty() || (chunk.end && chunk.trailers != nullptr);
    if (!committed_) {
        const bool with_body = !bodiless_ && (something || !chunk.end);
        if (!commit(with_body)) return Task<Result<void>>::ready(Result<void>(*out_.failure()));
        if (!with_body) return Task<Result<void>>::ready(Result<void>());
    } else if (bodiless_) {
        return Task<Result<void>>::ready(Result<void>());
    } else {
        session_->more_to_send(*stream_);
    }
    if (!something && !chunk.end) return Task<Result<void>>::ready(Result<void>());
    return out_.taken();
}

}  // namespace scrollgate
