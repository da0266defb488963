#include "core/http2/server_session.hpp"

#include "core/http1/trailers.hpp"
#include "core/http2/outgoing_fields.hpp"

namespace scrollgate::http2 {
namespace {

std::uint32_t code_of(ServerSession::Because why) noexcept {
    switch (why) {
        case ServerSession::Because::done:
            return NGHTTP2_NO_ERROR;
        case ServerSession::Because::cancelled:
            return NGHTTP2_CANCEL;
        case ServerSession::Because::refused:
            return NGHTTP2_REFUSED_STREAM;
        case ServerSession::Because::fault:
            break;
    }
    return NGHTTP2_INTERNAL_ERROR;
}

}  // namespace

// ---- requests

void ServerStream::begin_request(RequestHead& head, Arena& arena, std::size_t uri_limit) noexcept {
    reader_.begin(head, arena, uri_limit);
    arena_ = &arena;
    trailers_.clear();
    head_read_ = false;
}

void ServerStream::section_began() noexcept {}

const char* ServerStream::field(std::string_view name, std::string_view value) noexcept {
    if (!head_read_) {
        reader_.field(name, value);
        return nullptr;
    }
    const HeaderField field{name, value, field_id(name)};
    const bool may =
        reader_.grpc() ? http1::may_be_grpc_trailer(field) : http1::may_be_trailer(field);
    if (!may) return nullptr;
    if (trailers_.size() >= limits::trailers) return "too many trailers";
    const std::string_view kept = arena_->join({name, value});
    trailers_.add(kept.substr(0, name.size()), kept.substr(name.size()), Field::unknown);
    return nullptr;
}

const char* ServerStream::section_overflows(const char* fault, std::string_view name,
                                            std::string_view value) noexcept {
    if (head_read_) return fault;
    reader_.overflow(fault, name, value);
    return nullptr;
}

const char* ServerStream::section_ended(bool last) noexcept {
    if (head_read_) return nullptr;
    head_read_ = true;
    const Result<void> judged = reader_.end(last);
    request_came(judged, reader_.protocol());
    return nullptr;
}

void ServerStream::message_ended() noexcept {
    request_ended(trailers_.empty() ? nullptr : &trailers_);
}

void ServerStream::broke_off(StreamEnd end, const boost::system::error_code&,
                             const char*) noexcept {
    stream_ended(end);
}

// ---- the session

ServerSession::ServerSession(const SessionOptions& options, TimePoint now)
    : Session(options, Role::server),
      watch_(*this, now),
      fields_(std::make_unique<OutgoingFields>()) {}

ServerSession::~ServerSession() = default;

void ServerSession::feed(std::string_view bytes, TimePoint now) noexcept {
    if (flood_ != Flood::none) return;
    const Flood flood = watch_.look(bytes, now);
    if (flood != Flood::none) return calm(flood);
    Session::feed(bytes);
}

void ServerSession::calm(Flood flood) noexcept {
    if (flood_ != Flood::none) return;
    flood_ = flood;
    std::uint32_t code = NGHTTP2_ENHANCE_YOUR_CALM;
    if (flood == Flood::stream_closed) code = NGHTTP2_STREAM_CLOSED;
    if (flood == Flood::stream_number) code = NGHTTP2_PROTOCOL_ERROR;
    if (flood == Flood::frame_size) code = NGHTTP2_FRAME_SIZE_ERROR;
    ::nghttp2_session_terminate_session(handle(), code);
}

void ServerSession::message_came(SessionStream& stream) noexcept {
    end_message(stream);
}

// Bytes that are no HTTP/2, or a bound of nghttp2: what is to be said about it is still sent.
void ServerSession::input_broke(int error) noexcept {
    const bool flooded = error == NGHTTP2_ERR_FLOODED ||
                         error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS ||
                         error == NGHTTP2_ERR_CALLBACK_FAILURE;
    if (flooded) return calm(Flood::unknown);
    ::nghttp2_session_terminate_session(handle(), NGHTTP2_PROTOCOL_ERROR);
    break_down(::nghttp2_strerror(error));
}

void ServerSession::had_to_reset(ResetFor what) noexcept {
    const Flood flood = watch_.had_to_reset(what);
    if (flood != Flood::none) calm(flood);
}

// ---- responses

bool ServerSession::inform(ServerStream& stream, std::uint16_t status, const HeaderList& fields) {
    fields_->clear();
    fields_->add_status(status);
    fields_->add(fields);
    return ::nghttp2_submit_headers(handle(), NGHTTP2_FLAG_NONE, number(stream), nullptr,
                                    fields_->data(), fields_->size(), nullptr) == 0;
}

bool ServerSession::respond(ServerStream& stream, std::uint16_t status, const HeaderList& fields,
                            const BodyFraming& framing, bool with_body) {
    fields_->clear();
    fields_->add_status(status);
    fields_->add(fields);
    fields_->add_length(framing);
    return send_response(stream, *fields_, with_body);
}

// A response that is whole makes the rest of its request pointless (section 8.1). Whatever of it
// waits to be pulled nghttp2 would drop for a reset, which therefore comes behind its end.
void ServerSession::finish(ServerStream& stream, Because why) noexcept {
    if (!stream.open()) return;
    if (!given(stream)) {
        submit_reset(stream, code_of(why == Because::done ? Because::fault : why));
    } else if (!peer_ended(stream) && we_ended(stream)) {
        submit_reset(stream, NGHTTP2_NO_ERROR);
    }
    detach(stream);
}

void ServerSession::abandoned_ended(std::int32_t id) noexcept {
    if (::nghttp2_session_get_stream_remote_close(handle(), id) == 0)
        ::nghttp2_submit_rst_stream(handle(), NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

// ---- the end

void ServerSession::announce_end() noexcept {
    ::nghttp2_submit_shutdown_notice(handle());
}

}  // namespace scrollgate::http2
