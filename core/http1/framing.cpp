// The two framing fields are found in one pass; everything else is judged from what was found.
#include "core/http1/framing.hpp"

#include "core/hop_by_hop.hpp"
#include "core/http1/bytes.hpp"

namespace scrollgate::http1 {
namespace {

using Kind = BodyFraming::Kind;

/// The two fields that frame a body.
struct Lengths {
    const HeaderField* length = nullptr;
    const HeaderField* coding = nullptr;
    unsigned length_count = 0;
    unsigned coding_count = 0;
};

Lengths find_lengths(const HeaderList& fields) noexcept {
    Lengths found;
    for (const HeaderField& field : fields) {
        if (field.id == Field::content_length) {
            found.length = &field;
            ++found.length_count;
        } else if (field.id == Field::transfer_encoding) {
            found.coding = &field;
            ++found.coding_count;
        }
    }
    return found;
}

Error refusal(ErrorKind kind, const char* detail) {
    return Error{.kind = kind, .detail = detail};
}

/// 1-18 digits, no leading zero: fits signed 64 bits, which is what most parsers hold it in, and
/// reads the same in those that guess a base.
bool read_length(std::string_view text, std::uint64_t& length) noexcept {
    if (text.empty() || text.size() > 18) return false;
    if (text.front() == '0' && text.size() > 1) return false;
    length = 0;
    for (const char c : text) {
        if (!is_digit(c)) return false;
        length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return true;
}

/// What is wrong with both kinds of message alike; nullptr when nothing is. Sets `length`.
const char* common_fault(const Lengths& found, Version version, std::uint64_t& length) noexcept {
    if (found.coding_count != 0) {
        if (found.length_count != 0) return "Transfer-Encoding beside Content-Length";
        if (version == Version::http10) return "Transfer-Encoding in HTTP/1.0";
        return nullptr;
    }
    if (found.length_count > 1) return "several Content-Length fields";
    if (found.length_count == 1 && !read_length(found.length->value, length)) {
        return "malformed Content-Length";
    }
    return nullptr;
}

bool plain_chunked(const Lengths& found) noexcept {
    return found.coding_count == 1 && equal_no_case(found.coding->value, "chunked");
}

/// Whether the codings are a well-formed list of plain tokens with `chunked` at most once and last,
/// so that 501 is the due answer.
bool unknown_codings(const HeaderList& fields) noexcept {
    bool chunked = false;
    for (const HeaderField& field : fields) {
        if (field.id != Field::transfer_encoding) continue;
        std::string_view rest = field.value;
        for (bool more = true; more;) {
            const std::size_t comma = rest.find(',');
            more = comma != std::string_view::npos;
            const std::string_view element = trim(rest.substr(0, comma));
            if (more) rest.remove_prefix(comma + 1);
            if (chunked || !is_token(element)) return false;
            chunked = equal_no_case(element, "chunked");
        }
    }
    return true;
}

Result<BodyFraming> no_body_response(const Lengths& found, std::uint16_t status) {
    if (found.coding_count != 0 && status != 304 && (status < 200 || status == 204)) {
        return refusal(ErrorKind::upstream_malformed, "Transfer-Encoding in a 1xx or 204");
    }
    return BodyFraming{};
}

}  // namespace

Result<BodyFraming> request_framing(const RequestHead& head) {
    const Lengths found = find_lengths(head.fields);
    std::uint64_t length = 0;
    if (const char* why = common_fault(found, head.version, length)) {
        return refusal(ErrorKind::bad_framing, why);
    }
    if (found.coding_count != 0) {
        if (plain_chunked(found)) return BodyFraming{Kind::chunked};
        if (unknown_codings(head.fields)) {
            return refusal(ErrorKind::coding_unknown, "transfer coding other than chunked");
        }
        return refusal(ErrorKind::bad_framing, "malformed Transfer-Encoding");
    }
    if (found.length_count == 0) return BodyFraming{};
    return BodyFraming{Kind::length, length};
}

Result<BodyFraming> response_framing(const ResponseHead& head, Method request_method) {
    const Lengths found = find_lengths(head.fields);
    std::uint64_t length = 0;
    if (const char* why = common_fault(found, head.version, length)) {
        return refusal(ErrorKind::upstream_malformed, why);
    }
    const bool chunked = found.coding_count != 0;
    if (chunked && !plain_chunked(found)) {
        return refusal(ErrorKind::upstream_malformed, "Transfer-Encoding is not plain chunked");
    }
    const std::uint16_t status = head.status;
    if (status < 200 || status == 204 || status == 304 || request_method == Method::head) {
        return no_body_response(found, status);
    }
    if (status == 205) {
        if (chunked || length != 0) {
            return refusal(ErrorKind::upstream_malformed, "205 with a body");
        }
        return BodyFraming{Kind::length, 0};
    }
    if (chunked) return BodyFraming{Kind::chunked};
    if (found.length_count == 0) return BodyFraming{Kind::until_close};
    return BodyFraming{Kind::length, length};
}

bool wants_close(Version version, const HeaderList& fields) noexcept {
    bool close = false;
    bool keep_alive = false;
    for (const HeaderField& field : fields) {
        if (field.id != Field::connection) continue;
        for_each_option(field.value, [&](std::string_view option) {
            close = close || equal_no_case(option, "close");
            keep_alive = keep_alive || equal_no_case(option, "keep-alive");
        });
    }
    return close || (version == Version::http10 && !keep_alive);
}

bool too_many_options(const HeaderList& fields) noexcept {
    std::size_t options = 0;
    for (const HeaderField& field : fields) {
        if (field.id != Field::connection) continue;
        for_each_option(field.value, [&](std::string_view) { ++options; });
    }
    return options > connection_options;
}

}  // namespace scrollgate::http1
