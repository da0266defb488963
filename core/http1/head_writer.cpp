#include "core/http1/head_writer.hpp"

#include <charconv>

namespace scrollgate::http1 {
namespace {

// Fields of this hop: never copied from the list, always written from HopFields.
bool is_replaced(Field id) noexcept {
    return id == Field::content_length || id == Field::transfer_encoding ||
           id == Field::connection || id == Field::upgrade;
}

/// Unchecked cursor over a block that was made large enough.
class Cursor {
  public:
    explicit Cursor(char* at) noexcept : at_(at) {}
    void put(std::string_view text) noexcept { at_ += text.copy(at_, text.size()); }
    void field(std::string_view name, std::string_view value) noexcept {
        put(name);
        put(": ");
        put(value);
        put("\r\n");
    }
    void number(std::uint64_t value) noexcept { at_ = std::to_chars(at_, at_ + 20, value).ptr; }
    [[nodiscard]] char* at() const noexcept { return at_; }

  private:
    char* at_;
};

constexpr std::size_t hop_room = 128;  // names and numbers of HopFields, Host and the start line

std::size_t room_for(const HeaderList& fields, const HopFields& hop) noexcept {
    std::size_t room = hop_room + hop.connection.size() + hop.upgrade.size();
    for (const HeaderField& field : fields)
        room += field.name.size() + field.value.size() + 4;
    return room;
}

void put_fields(Cursor& to, const HeaderList& fields, bool skip_host) noexcept {
    for (const HeaderField& field : fields) {
        if (is_replaced(field.id) || (skip_host && field.id == Field::host)) continue;
        to.field(field.name, field.value);
    }
}

void put_hop(Cursor& to, const HopFields& hop) noexcept {
    if (hop.body.kind == BodyFraming::Kind::length) {
        to.put("Content-Length: ");
        to.number(hop.body.length);
        to.put("\r\n");
    } else if (hop.body.kind == BodyFraming::Kind::chunked) {
        to.put("Transfer-Encoding: chunked\r\n");
    }
    if (!hop.connection.empty()) to.field("Connection", hop.connection);
    if (!hop.upgrade.empty()) to.field("Upgrade", hop.upgrade);
    to.put("\r\n");
}

template <class Fill>
void append_filled(std::string& out, std::size_t room, Fill&& fill) {
    const std::size_t before = out.size();
    out.resize(before + room);
    Cursor cursor(out.data() + before);
    fill(cursor);
    out.resize(static_cast<std::size_t>(cursor.at() - out.data()));
}

}  // namespace

void append_request_head(std::string& out, std::string_view method, std::string_view target,
                         std::string_view host, const HeaderList& fields, const HopFields& hop) {
    const std::size_t room = room_for(fields, hop) + method.size() + target.size() + host.size();
    append_filled(out, room, [&](Cursor& to) {
        to.put(method);
        to.put(" ");
        to.put(target);
        to.put(" HTTP/1.1\r\n");
        to.field("Host", host);
        put_fields(to, fields, true);
        put_hop(to, hop);
    });
}

void append_response_head(std::string& out, std::uint16_t status, std::string_view reason,
                          const HeaderList& fields, const HopFields& hop, std::string_view lines) {
    const std::size_t room = room_for(fields, hop) + reason.size() + lines.size();
    append_filled(out, room, [&](Cursor& to) {
        to.put("HTTP/1.1 ");
        to.number(status);
        to.put(" ");
        to.put(reason);
        to.put("\r\n");
        to.put(lines);
        put_fields(to, fields, false);
        put_hop(to, hop);
    });
}

void append_trailers(std::string& out, const HeaderList* trailers) {
    if (trailers != nullptr) {
        for (const HeaderField& field : *trailers) {
            out.append(field.name).append(": ").append(field.value).append("\r\n");
        }
    }
    out.append("\r\n");
}

}  // namespace scrollgate::http1
