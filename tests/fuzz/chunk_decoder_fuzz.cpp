// Chunked bodies against a decoder that is written down as the grammar, for whole bodies only.
// The first byte chooses the step of cutting.
#include <optional>
#include <string>
#include <vector>

#include <re2/re2.h>

#include "core/http1/chunk_decoder.hpp"
#include "core/http1/trailers.hpp"
#include "core/limits.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;
using Kind = http1::ChunkDecoder::Step::Kind;

struct Body {
    std::string content;
    std::string trailers;
    std::size_t consumed = 0;
    bool operator==(const Body&) const = default;
};

/// What is left of a text, taken line by line; a line ends at the first CRLF.
struct Reader {
    std::string_view bytes;
    std::size_t at = 0;

    std::optional<std::string> line() {
        const std::size_t end = bytes.find("\r\n", at);
        if (end == std::string_view::npos) return std::nullopt;
        std::string found(bytes.substr(at, end - at));
        at = end + 2;
        return found;
    }
};

#define TOKEN "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
#define QUOTED R"(\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*\")"
const RE2 size_line("([0-9A-Fa-f]{1,16})((?:;" TOKEN "(?:=(?:" TOKEN "|" QUOTED "))?)*)",
                    RE2::Latin1);
const RE2 field_line("(" TOKEN R"():[ \t]*((?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)[ \t]*)",
                     RE2::Latin1);
#undef QUOTED
#undef TOKEN

bool read_trailers(Reader& reader, Body& body) {
    const std::size_t start = reader.at;
    for (std::size_t count = 0;; ++count) {
        const auto line = reader.line();
        if (!line || reader.at - start > limits::trailer_bytes) return false;
        if (line->empty()) return true;
        std::string name;
        std::string value;
        if (count == limits::trailers || !RE2::FullMatch(*line, field_line, &name, &value)) {
            return false;
        }
        if (http1::may_be_trailer({name, value, field_id(name)})) {
            body.trailers += name + "=" + value + ";";
        }
    }
}

/// The body at the start of `bytes`; nothing if it is malformed or not complete.
std::optional<Body> plain_decode(std::string_view bytes) {
    Reader reader{bytes};
    Body body;
    std::uint64_t extensions = 0;
    for (;;) {
        const auto line = reader.line();
        std::string digits;
        std::string extension;
        if (!line || line->size() > limits::chunk_line ||
            !RE2::FullMatch(*line, size_line, &digits, &extension)) {
            return std::nullopt;
        }
        if (!extension.empty()) extensions += extension.size() + 1;  // the CR is counted, too
        if (extensions > limits::chunk_overhead) return std::nullopt;
        const std::uint64_t size = std::stoull(digits, nullptr, 16);
        if (size == 0) break;
        if (size > bytes.size() - reader.at) return std::nullopt;
        body.content += bytes.substr(reader.at, size);
        reader.at += size;
        if (bytes.substr(reader.at, 2) != "\r\n") return std::nullopt;
        reader.at += 2;
    }
    if (!read_trailers(reader, body)) return std::nullopt;
    body.consumed = reader.at;
    return body;
}

/// The decoder's own answer, on pieces of `step` bytes.
std::optional<Body> decode(std::string_view bytes, std::size_t step) {
    http1::ChunkDecoder decoder;
    Body body;
    for (std::size_t end = 0; end < bytes.size();) {
        end = std::min(end + step, bytes.size());
        for (;;) {
            const std::vector<char> piece(
                bytes.begin() + static_cast<std::ptrdiff_t>(body.consumed),
                bytes.begin() + static_cast<std::ptrdiff_t>(end));
            const auto taken = decoder.next({piece.data(), piece.size()});
            require(taken.consumed <= piece.size(), "consumed more than there was");
            body.consumed += taken.consumed;
            body.content += taken.data;
            if (taken.kind == Kind::failed) return std::nullopt;
            if (taken.kind == Kind::done) {
                for (const HeaderField& field : decoder.trailers()) {
                    body.trailers.append(field.name).append("=").append(field.value).append(";");
                }
                return body;
            }
            if (taken.kind == Kind::need_more) {
                require(body.consumed == end, "wants more but leaves some");
                break;
            }
        }
    }
    return std::nullopt;
}

std::string encode(std::string_view content, std::size_t chunk) {
    std::string out;
    while (!content.empty()) {
        const std::string_view part = content.substr(0, chunk);
        char size[20];
        std::snprintf(size, sizeof size, "%zX\r\n", part.size());
        out.append(size).append(part).append("\r\n");
        content.remove_prefix(part.size());
    }
    return out + "0\r\n\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const std::size_t step = take_byte(input) + 1;
    const auto whole = decode(input, input.size() + 1);
    require(decode(input, step) == whole, "cutting changes the outcome");
    require(plain_decode(input) == whole, "the plain decoder disagrees");

    const std::string encoded = encode(input, step);
    const auto back = decode(encoded, step / 2 + 1);
    require(back.has_value() && back->content == input, "decode(encode(x)) is not x");
    require(back->consumed == encoded.size(), "decode(encode(x)) leaves bytes");
    return 0;
}
