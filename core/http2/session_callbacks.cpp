#include "core/http2/session_callbacks.hpp"

#include <algorithm>
#include <memory>
#include <new>

namespace scrollgate::http2 {
namespace {

struct CallbacksFreed {
    void operator()(nghttp2_session_callbacks* made) const noexcept {
        ::nghttp2_session_callbacks_del(made);
    }
};
using CallbacksOwner = std::unique_ptr<nghttp2_session_callbacks, CallbacksFreed>;

CallbacksOwner no_callbacks() {
    nghttp2_session_callbacks* made = nullptr;
    if (::nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    return CallbacksOwner(made);
}

Session& self(void* user) noexcept {
    return *static_cast<Session*>(user);
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(bytes), size};
}

bool ends_message(const nghttp2_frame& frame) noexcept {
    return (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

/// :status comes first in what we send.
bool is_final(const nghttp2_headers& head) noexcept {
    return head.nvlen > 0 && head.nva[0].valuelen > 0 && head.nva[0].value[0] != '1';
}

int refuse(nghttp2_session* handle, std::int32_t id) noexcept {
    ::nghttp2_submit_rst_stream(handle, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/// What a field counts for beyond its text (RFC 9113 section 6.5.2).
constexpr std::uint32_t field_overhead = 32;

constexpr std::size_t frame_head = 9;  ///< bytes before a frame's payload (section 4.1)
/// With less room than this a DATA frame is made elsewhere and copied.
constexpr std::size_t direct_least = 4096;

}  // namespace

const nghttp2_session_callbacks* Session::Callbacks::all() {
    static const CallbacksOwner owner = [] {
        CallbacksOwner made = no_callbacks();
        ::nghttp2_session_callbacks_set_on_begin_frame_callback(made.get(), on_begin_frame);
        ::nghttp2_session_callbacks_set_on_begin_headers_callback(made.get(), on_begin_headers);
        ::nghttp2_session_callbacks_set_on_header_callback(made.get(), on_header);
        ::nghttp2_session_callbacks_set_on_invalid_header_callback(made.get(), on_invalid_header);
        ::nghttp2_session_callbacks_set_on_frame_recv_callback(made.get(), on_frame_recv);
        ::nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made.get(), on_data);
        ::nghttp2_session_callbacks_set_on_stream_close_callback(made.get(), on_stream_close);
        ::nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made.get(),
                                                                       on_invalid_frame);
        ::nghttp2_session_callbacks_set_on_frame_send_callback(made.get(), on_frame_send);
        ::nghttp2_session_callbacks_set_send_data_callback(made.get(), send_data);
        return made;
    }();
    return owner.get();
}

int Session::Callbacks::on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* frame,
                                       void* user) noexcept {
    Session& session = self(user);
    if (frame->type != NGHTTP2_CONTINUATION) {
        session.continuations_ = 0;
    } else if (++session.continuations_ > limits::http2_continuations) {
        session.fault_ = "too many CONTINUATION frames";
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

int Session::Callbacks::on_begin_headers(nghttp2_session* handle, const nghttp2_frame* frame,
                                         void* user) noexcept {
    Session& session = self(user);
    SessionStream* stream = session.stream(frame->hd.stream_id);
    session.section_ = {};
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && session.role_ == Role::server) {
        stream = session.open_stream();
        if (stream == nullptr) return refuse(handle, frame->hd.stream_id);
        session.attach(*stream, frame->hd.stream_id);
        ::nghttp2_session_set_stream_user_data(handle, frame->hd.stream_id, stream);
    }
    session.section_.stream = stream;
    if (stream != nullptr) stream->section_began();
    return 0;
}

// nghttp2 checks each byte of each field before it comes here, those that one byte of HPACK stands
// for, too; of what follows an error it keeps its table up to date, and nothing else.
int Session::Callbacks::on_header(nghttp2_session*, const nghttp2_frame* frame,
                                  const std::uint8_t* name, std::size_t name_size,
                                  const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                                  void* user) noexcept {
    Session& session = self(user);
    Section& section = session.section_;
    // Names and values have 64 KiB at most, so the sum does not run over.
    section.bytes += static_cast<std::uint32_t>(name_size + value_size) + field_overhead;
    if (section.bytes / limits::http2_section_most > session.options_.header_bytes) {
        session.drop_section(frame->hd.stream_id);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (section.stream == nullptr) return 0;
    const char* bound = nullptr;
    if (section.bytes > session.options_.header_bytes) bound = "field section is too large";
    SessionStream& stream = *section.stream;
    const std::string_view named = text(name, name_size), said = text(value, value_size);
    if (named == "priority") session.prioritised_ = session.role_ == Role::server;
    if (named != "cookie") ++section.fields;  // its crumbs are one field to everybody else (8.2.3)
    if (section.fields > session.options_.fields) bound = "too many fields";
    const char* const fault =
        bound == nullptr ? stream.field(named, said) : stream.section_overflows(bound, named, said);
    if (fault == nullptr) return 0;
    session.refuse_message(stream, fault, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // no more of this section
}

int Session::Callbacks::on_invalid_header(nghttp2_session*, const nghttp2_frame*,
                                          const std::uint8_t*, std::size_t, const std::uint8_t*,
                                          std::size_t, std::uint8_t, void*) noexcept {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Session::Callbacks::on_frame_recv(nghttp2_session*, const nghttp2_frame* frame,
                                      void* user) noexcept {
    Session& session = self(user);
    switch (frame->hd.type) {
        case NGHTTP2_HEADERS:
            session.section_came(frame->hd.stream_id, ends_message(*frame));
            break;
        case NGHTTP2_DATA:
            if (ends_message(*frame)) session.message_came(frame->hd.stream_id);
            break;
        case NGHTTP2_SETTINGS:
            if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) break;
            session.settled_ = true;
            session.settings_came();
            break;
        case NGHTTP2_GOAWAY:
            session.goaway_came(frame->goaway.last_stream_id);
            break;
        case NGHTTP2_PRIORITY_UPDATE:
            session.prioritised_ = true;
            break;
        default:
            break;
    }
    return 0;
}

int Session::Callbacks::on_data(nghttp2_session* handle, std::uint8_t, std::int32_t id,
                                const std::uint8_t* data, std::size_t size, void* user) noexcept {
    Session& session = self(user);
    if (SessionStream* const stream = session.stream(id)) {
        stream->data(text(data, size));
    } else if (session.options_.windows == SessionOptions::Windows::manual) {
        ::nghttp2_session_consume(handle, id, size);  // nobody else will
    }
    return 0;
}

int Session::Callbacks::on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code,
                                        void* user) noexcept {
    Session& session = self(user);
    SessionStream* const stream = session.stream(id);
    if (stream == nullptr) return 0;
    // A server's message is given, and the client's has come, or nobody needs it.
    const bool done = session.role_ == Role::server || code == NGHTTP2_NO_ERROR;
    if (stream->given_ && done) {
        session.detach(*stream);
        stream->broke_off(StreamEnd::done, {}, "");
        return 0;
    }
    const bool refused = code == NGHTTP2_REFUSED_STREAM;
    session.break_off(*stream, refused ? StreamEnd::refused : StreamEnd::reset,
                      ::nghttp2_http2_strerror(code));
    return 0;
}

int Session::Callbacks::on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int error,
                                         void* user) noexcept {
    Session& session = self(user);
    SessionStream* const stream = session.stream(frame->hd.stream_id);
    const bool too_many = error == NGHTTP2_ERR_REFUSED_STREAM;
    if (frame->hd.stream_id != 0)
        session.had_to_reset(too_many ? ResetFor::one_too_many : ResetFor::fault);
    if (stream != nullptr)
        session.break_off(*stream, StreamEnd::malformed, ::nghttp2_strerror(error));
    return 0;
}

int Session::Callbacks::on_frame_send(nghttp2_session*, const nghttp2_frame* frame,
                                      void* user) noexcept {
    Session& session = self(user);
    SessionStream* const stream = session.stream(frame->hd.stream_id);
    if (stream == nullptr && ends_message(*frame)) session.abandoned_ended(frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_HEADERS) {
        if (stream == nullptr) return 0;
        stream->sent_ = true;
        stream->answered_ = stream->answered_ || is_final(frame->headers);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        // Not of our own doing, or it would be detached: a message that breaks section 8.
        if (stream == nullptr) return 0;
        session.had_to_reset(ResetFor::fault);
        session.break_off(*stream, StreamEnd::malformed,
                          ::nghttp2_http2_strerror(frame->rst_stream.error_code));
    } else if (frame->hd.type == NGHTTP2_DATA) {
        session.data_went();
    } else if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        // nghttp2 gives up the connection for what the peer did.
        session.going_away_ = true;
        session.break_down(::nghttp2_http2_strerror(frame->goaway.error_code));
    }
    return 0;
}

ssize_t Session::Callbacks::fill_body(nghttp2_session*, std::int32_t id, std::uint8_t* into,
                                      std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                                      void* user) noexcept {
    Session& session = self(user);
    SessionStream* const stream = session.stream(id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    // nghttp2 takes the most urgent that has something: this one comes behind what ran dry.
    if (session.ran_dry_) {
        session.held_back_ = true;
        return NGHTTP2_ERR_PAUSE;
    }
    std::span<char> target(reinterpret_cast<char*>(into), size);
    const bool direct = session.room_.size() >= frame_head + std::min(size, direct_least);
    if (direct) {
        target = session.room_.subspan(frame_head);
        target = target.first(std::min(size, target.size()));
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    }
    const BodyPart part = stream->fill_body(target);
    if (part.bytes < target.size() && !part.end) session.ran_dry_ = session.prioritised_;
    if (part.bytes == 0 && !part.end) return NGHTTP2_ERR_DEFERRED;
    if (part.end) {
        stream->given_ = true;
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (part.trailers != nullptr && session.submit_trailers(id, *part.trailers))
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return static_cast<ssize_t>(part.bytes);
}

int Session::Callbacks::send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* head,
                                  std::size_t size, nghttp2_data_source*, void* user) noexcept {
    Session& session = self(user);
    text(head, frame_head).copy(session.room_.data(), frame_head);
    session.room_ = session.room_.subspan(frame_head + size);
    return 0;
}

}  // namespace scrollgate::http2
