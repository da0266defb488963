// Response heads, as request_head_fuzz.cpp. The first byte chooses step and request method.
#include <string>

#include "tests/fuzz/head_oracle.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;
using Status = http1::ParseResult::Status;

void require_same_head(const ResponseHead& a, const ResponseHead& b) {
    require(a.status == b.status && a.version == b.version, "other status or version");
    require(a.reason == b.reason, "other reason");
    require_same(a.body, b.body);
    require_same(a.fields, b.fields);
}

void require_beast_agrees(std::string_view bytes, const ResponseHead& head, Method method) {
    std::string given(bytes);
    if (given[12] == '\r') given.insert(12, " ");  // Beast insists on the space
    BeastHead<false> beast;
    if (method == Method::head) beast.skip(true);
    require(beast.read(given), "Beast refuses");
    require(beast.status == head.status && beast.reason == head.reason, "Beast: other line");
    require(beast.version == (head.version == Version::http11 ? 11 : 10), "Beast: other version");
    require_same(head.fields, beast);
    if (head.body.kind == BodyFraming::Kind::chunked) require(beast.chunked(), "Beast: chunked");
    if (head.body.kind == BodyFraming::Kind::length && head.status != 205) {
        require(beast.content_length().has_value(), "Beast: no length");
        require(*beast.content_length() == head.body.length, "Beast: other length");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const unsigned choice = take_byte(input);
    const Method method = choice % 2 == 0 ? Method::get : Method::head;
    const auto parse = [method](std::string_view bytes, std::size_t& scanned, ResponseHead& head) {
        return http1::parse_response_head(bytes, head_limits, scanned, method, head);
    };
    ResponseHead whole;
    std::size_t scanned = 0;
    const auto result = parse(input, scanned, whole);
    ResponseHead cut;
    std::vector<char> buffer;
    require_same(result, feed(input, choice / 2 + 1, buffer, cut, parse));
    if (result.status == Status::failed) {
        require(result.error == ErrorKind::upstream_malformed, "error of the wrong side");
    }
    if (result.status != Status::complete) return 0;
    require_same_head(whole, cut);
    require(whole.status >= 100 && whole.status <= 599, "status out of range");
    if (beast_would_take(whole.fields))
        require_beast_agrees(input.substr(0, result.consumed), whole, method);

    std::string again = "HTTP/" + std::string(version_text(whole.version)) + " ";
    again.append(std::to_string(whole.status)).append(" ").append(whole.reason).append("\r\n");
    again += written(whole.fields);
    if (again.size() > head_limits.bytes) return 0;  // a space more behind each colon
    ResponseHead copy;
    scanned = 0;
    require(parse(again, scanned, copy).status == Status::complete, "what we write is refused");
    require_same_head(whole, copy);
    return 0;
}
