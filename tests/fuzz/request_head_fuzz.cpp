// Request heads: cutting changes nothing; what we accept, Beast accepts and reads the same; what
// we would write is read back the same. The first byte chooses the step of cutting.
#include <string>

#include "core/http1/authority.hpp"
#include "tests/fuzz/head_oracle.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;
using Status = http1::ParseResult::Status;

http1::ParseResult parse(std::string_view bytes, std::size_t& scanned, RequestHead& head) {
    return http1::parse_request_head(bytes, head_limits, scanned, head);
}

void require_same_head(const RequestHead& a, const RequestHead& b) {
    require(a.method == b.method && a.method_text == b.method_text, "other method");
    require(a.version == b.version && a.form == b.form, "other version or form");
    require(a.target == b.target && a.scheme == b.scheme, "other target");
    require(a.authority == b.authority && a.path == b.path, "other authority or path");
    require(a.query == b.query && a.has_query == b.has_query, "other query");
    require_same(a.body, b.body);
    require_same(a.fields, b.fields);
}

void require_sound(const RequestHead& head) {
    require(head.method != Method::trace && head.method != Method::connect, "method not refused");
    require(head.path == "*" || head.path.starts_with('/'), "path without a slash");
    require(head.path != "*" || head.method == Method::options, "asterisk without OPTIONS");
    require(head.path.find('?') == std::string_view::npos, "query inside of the path");
    const std::size_t hosts = head.fields.count(Field::host);
    require(hosts <= 1, "two Host fields");
    if (head.version == Version::http11) {
        require(hosts == 1 && http1::valid_authority(head.authority), "no authority");
    }
    const bool length = head.fields.count(Field::content_length) != 0;
    const bool coding = head.fields.count(Field::transfer_encoding) != 0;
    require(!(length && coding), "two framings");
    require(length == (head.body.kind == BodyFraming::Kind::length), "length is ignored");
    require(coding == (head.body.kind == BodyFraming::Kind::chunked), "coding is ignored");
}

void require_beast_agrees(std::string_view bytes, const RequestHead& head) {
    // one empty line before a request is skipped by us and refused by Beast
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
    BeastHead<true> beast;
    require(beast.read(bytes), "Beast refuses");
    require(beast.method == head.method_text && beast.target == head.target, "Beast: other line");
    require(beast.version == (head.version == Version::http11 ? 11 : 10), "Beast: other version");
    require_same(head.fields, beast);
    require(beast.chunked() == (head.body.kind == BodyFraming::Kind::chunked), "Beast: chunked");
    const bool measured = head.body.kind == BodyFraming::Kind::length;
    require(beast.content_length().has_value() == measured, "Beast: Content-Length");
    if (measured) require(*beast.content_length() == head.body.length, "Beast: other length");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const std::size_t step = take_byte(input) + 1;
    RequestHead whole;
    std::size_t scanned = 0;
    const auto result = parse(input, scanned, whole);
    RequestHead cut;
    std::vector<char> buffer;
    require_same(result, feed(input, step, buffer, cut, parse));
    if (result.status != Status::complete) return 0;
    require_same_head(whole, cut);
    require_sound(whole);
    if (beast_would_take(whole.fields))
        require_beast_agrees(input.substr(0, result.consumed), whole);

    std::string again(whole.method_text);
    again.append(" ").append(whole.target).append(" HTTP/").append(version_text(whole.version));
    again.append("\r\n").append(written(whole.fields));
    if (again.size() > head_limits.bytes) return 0;  // a space more behind each colon
    RequestHead copy;
    scanned = 0;
    require(parse(again, scanned, copy).status == Status::complete, "what we write is refused");
    require_same_head(whole, copy);
    return 0;
}
