#include "core/http2/outgoing_fields.hpp"

#include <charconv>

namespace scrollgate::http2 {
namespace {

/// nghttp2 reads what it is given; it only lacks the const.
std::uint8_t* bytes(std::string_view text) noexcept {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

bool left_out(const HeaderField& field) noexcept {
    switch (field.id) {
        case Field::connection:
        case Field::keep_alive:
        case Field::proxy_connection:
        case Field::transfer_encoding:
        case Field::upgrade:
        case Field::http2_settings:
        case Field::host:
        case Field::sec_websocket_key:  // RFC 8441 section 5: HTTP/2 has no use for them
        case Field::sec_websocket_accept:
        case Field::content_length:
            return true;
        case Field::te:
            return !equal_no_case(field.value, "trailers");
        default:
            return false;
    }
}

}  // namespace

void OutgoingFields::add(std::string_view name, std::string_view value, bool indexed) {
    const std::uint8_t flags = indexed ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX;
    lines_.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
}

void OutgoingFields::add_status(std::uint16_t status) {
    status_ = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
               static_cast<char>('0' + status % 10)};
    add(":status", {status_.data(), status_.size()});
}

void OutgoingFields::add(const HeaderList& fields) {
    for (const HeaderField& field : fields) {
        // An id that no other message has would only push others out of the peer's table.
        if (!left_out(field)) add(field.name, field.value, field.id != Field::x_request_id);
    }
}

void OutgoingFields::add_length(const BodyFraming& framing) {
    if (framing.kind != BodyFraming::Kind::length) return;
    char* const begin = length_.data();
    const char* const end = std::to_chars(begin, begin + length_.size(), framing.length).ptr;
    add("content-length", {begin, end});
}

}  // namespace scrollgate::http2
