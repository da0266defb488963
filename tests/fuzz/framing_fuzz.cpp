// Framing rules against their shortest statement, as patterns. First byte: version, method and
// which message; second: the status; then lines of one letter (c: Content-Length, t:
// Transfer-Encoding, anything else: another field) and a value.
#include <algorithm>
#include <string>
#include <vector>

#include "core/http1/framing.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;
using Kind = BodyFraming::Kind;

struct Values {
    std::vector<std::string> lengths;
    std::vector<std::string> codings;

    void add_to(HeaderList& fields, std::string_view lines) {
        while (!lines.empty()) {
            const std::string_view line = lines.substr(0, lines.find('\n'));
            lines.remove_prefix(std::min(lines.size(), line.size() + 1));
            if (line.empty()) continue;
            const std::string_view value = line.substr(1);
            if (line[0] == 'c') {
                lengths.emplace_back(value);
                fields.add("content-LENGTH", value);
            } else if (line[0] == 't') {
                codings.emplace_back(value);
                fields.add("Transfer-Encoding", value);
            } else {
                fields.add("X-Other", value);
            }
        }
    }
    [[nodiscard]] bool chunked(Version version) const {
        if (version != Version::http11 || !lengths.empty() || codings.size() != 1) return false;
        std::string lower = codings[0];
        for (char& c : lower) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        }
        return lower == "chunked";
    }
    [[nodiscard]] bool measured() const {
        if (!codings.empty() || lengths.size() != 1) return false;
        const std::string& text = lengths[0];
        return !text.empty() && text.size() < 19 && (text == "0" || text[0] != '0') &&
               text.find_first_not_of("0123456789") == std::string::npos;
    }
    [[nodiscard]] bool silent() const { return lengths.empty() && codings.empty(); }
};

void check_request(Version version, std::string_view lines) {
    RequestHead head;
    head.version = version;
    Values values;
    values.add_to(head.fields, lines);
    const auto framing = http1::request_framing(head);
    const bool valid = values.silent() || values.chunked(version) || values.measured();
    require(framing.has_value() == valid, "request is judged differently");
    if (!valid) {
        const ErrorKind kind = framing.error().kind;
        require(kind == ErrorKind::bad_framing || kind == ErrorKind::coding_unknown, "wrong error");
        return;
    }
    require((framing->kind == Kind::none) == values.silent(), "none");
    require((framing->kind == Kind::chunked) == values.chunked(version), "chunked");
    if (values.measured()) require(framing->length == std::stoull(values.lengths[0]), "length");
}

void check_response(Version version, Method method, std::uint16_t status, std::string_view lines) {
    ResponseHead head;
    head.version = version;
    head.status = status;
    Values values;
    values.add_to(head.fields, lines);
    const auto framing = http1::response_framing(head, method);
    const bool chunked = values.chunked(version);
    bool valid = values.silent() || chunked || values.measured();
    if (chunked && (status < 200 || status == 204)) valid = false;
    const bool bodiless = status < 200 || status == 204 || status == 304 || method == Method::head;
    if (status == 205 && !bodiless && !values.silent()) {
        valid = values.measured() && values.lengths[0] == "0";
    }
    require(framing.has_value() == valid, "response is judged differently");
    if (!valid) {
        require(framing.error().kind == ErrorKind::upstream_malformed, "wrong error");
        return;
    }
    Kind kind = Kind::until_close;
    if (bodiless) {
        kind = Kind::none;
    } else if (chunked) {
        kind = Kind::chunked;
    } else if (values.measured() || status == 205) {
        kind = Kind::length;
    }
    require(framing->kind == kind, "kind");
    if (kind == Kind::length && status != 205) {
        require(framing->length == std::stoull(values.lengths[0]), "length");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const unsigned choice = take_byte(input);
    constexpr std::uint16_t statuses[] = {100, 103, 200, 204, 205, 206, 304, 500};
    const std::uint16_t status = statuses[take_byte(input) % std::size(statuses)];
    const Version version = (choice & 1U) == 0 ? Version::http11 : Version::http10;
    const Method method = (choice & 2U) == 0 ? Method::get : Method::head;
    if ((choice & 4U) == 0) {
        check_request(version, input);
    } else {
        check_response(version, method, status, input);
    }
    return 0;
}
