#include "core/http2/client_session.hpp"

#include <charconv>

#include "core/grpc.hpp"
#include "core/http1/framing.hpp"
#include "core/http1/trailers.hpp"
#include "core/http2/outgoing_fields.hpp"

namespace scrollgate::http2 {

// ---- responses

void ClientStream::begin(const Request& request, Incoming& incoming, bool own) noexcept {
    incoming_ = &incoming;
    own_ = own;
    method_ = request.method;
    tunnel_ = !request.protocol.empty();
    final_ = trailers_ = half_ = grpc_ = false;
    interim_ = 0;
}

void ClientStream::section_began() noexcept {
    if (!own_ || !final_) incoming_->text.clear();
    if (final_) {
        trailers_ = true;
        incoming_->trailers.clear();
    } else {
        incoming_->head.clear();
        incoming_->head.version = Version::http2;
    }
}

// nghttp2 has seen to it that the names are in lower case, that none belongs to a connection, and
// that :status comes first, once, with three digits.
const char* ClientStream::field(std::string_view name, std::string_view value) noexcept {
    ResponseHead& head = incoming_->head;
    if (name.front() == ':') {
        std::from_chars(value.data(), value.data() + value.size(), head.status);
        return head.status >= 100 && head.status <= 599 ? nullptr : "status out of range";
    }
    const Field id = field_id(name);
    if (final_ && !may_trail({name, value, id})) return nullptr;
    if (final_ && incoming_->trailers.size() >= limits::trailers) return "too many trailers";
    const std::string_view kept = incoming_->text.join({name, value});
    (final_ ? incoming_->trailers : head.fields)
        .add(kept.substr(0, name.size()), kept.substr(name.size()), id);
    return nullptr;
}

bool ClientStream::may_trail(const HeaderField& field) const noexcept {
    return grpc_ ? http1::may_be_grpc_trailer(field) : http1::may_be_trailer(field);
}

const char* ClientStream::section_ended(bool last) noexcept {
    if (final_) return nullptr;
    ResponseHead& head = incoming_->head;
    const Result<BodyFraming> framing = http1::response_framing(head, method_);
    if (!framing) return framing.error().detail;
    head.body = *framing;
    if (head.body.kind == BodyFraming::Kind::until_close)
        head.body.kind = last ? BodyFraming::Kind::length : BodyFraming::Kind::chunked;
    final_ = head.status >= 200;
    grpc_ = grpc::is_content_type(head.fields.value(Field::content_type));
    if (!final_ && ++interim_ > limits::interim_responses) return "too many interim responses";
    head_came(head);
    return nullptr;
}

void ClientStream::message_ended() noexcept {
    const bool any = trailers_ && !incoming_->trailers.empty();
    response_ended(any ? &incoming_->trailers : nullptr);
}

void ClientStream::broke_off(StreamEnd end, const boost::system::error_code& cause,
                             const char* detail) noexcept {
    if (half_ && end == StreamEnd::done) return tunnel_closed();
    ErrorKind kind = final_ ? ErrorKind::upstream_truncated : ErrorKind::upstream_reset;
    if (end == StreamEnd::refused && !cause && !final_) kind = ErrorKind::upstream_refused;
    if (end == StreamEnd::malformed) kind = ErrorKind::upstream_malformed;
    failed({kind, end == StreamEnd::refused, cause, detail});
}

// ---- requests

ClientSession::ClientSession(const SessionOptions& options)
    : Session(options, Role::client), fields_(std::make_unique<OutgoingFields>()) {}

ClientSession::~ClientSession() = default;

// If the request's body is not through, the rest is not asked for; a tunnel is half-closed.
void ClientSession::message_came(SessionStream& stream) noexcept {
    auto& one = static_cast<ClientStream&>(stream);
    if (one.tunnel_ && one.final_ && !we_ended(stream)) {
        one.half_ = true;
        return end_message(stream);
    }
    if (!we_ended(stream)) submit_reset(stream, NGHTTP2_CANCEL);
    detach(stream);
    end_message(stream);
}

void ClientSession::goaway_came(std::int32_t last) noexcept {
    going_away_ = true;
    spent_ = last > 0;
    refuse_beyond(last);
}

void ClientSession::input_broke(int error) noexcept {
    broken_ = true;
    break_down(::nghttp2_strerror(error));
}

bool ClientSession::submit(ClientStream& stream, const RequestHead& head) {
    const Request request{head.method, head.method_text, head.scheme, head.authority, head.target,
                          {},          head.fields,      head.body};
    return submit(stream, request, nullptr);
}

bool ClientSession::submit(ClientStream& stream, const Request& request, Incoming* own) {
    if (!room()) return false;
    const bool tunnel = !request.protocol.empty();
    fields_->clear();
    fields_->add(":method", tunnel ? "CONNECT" : request.method_text);
    if (tunnel) fields_->add(":protocol", request.protocol);
    fields_->add(":scheme", request.scheme);
    fields_->add(":authority", request.authority);
    fields_->add(":path", request.target);
    fields_->add(request.fields);
    if (request.trailers) fields_->add("te", "trailers");
    fields_->add_length(request.body);
    stream.begin(request, own != nullptr ? *own : incoming_, own != nullptr);
    return send_request(stream, *fields_, tunnel || request.body.has_body());
}

}  // namespace scrollgate::http2
