// Two steps: inspect() judges the whole path in one scan and finds out whether anything has to
// change; only then rewrite() runs, and it can rely on that judgement.
#include "proxy/routing/path.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/percent.hpp"

namespace scrollgate {
namespace {

enum class Kind : std::uint8_t { plain, refused, slash, dot, semicolon, escape };

constexpr std::array<Kind, 256> make_kinds() {
    std::array<Kind, 256> kinds{};
    for (std::size_t byte = 0; byte < kinds.size(); ++byte) {
        kinds[byte] = byte <= 0x20 || byte >= 0x7f ? Kind::refused : Kind::plain;
    }
    kinds['#'] = kinds['?'] = kinds['\\'] = Kind::refused;
    kinds['/'] = Kind::slash;
    kinds['.'] = Kind::dot;
    kinds[';'] = Kind::semicolon;
    kinds['%'] = Kind::escape;
    return kinds;
}
constexpr std::array<Kind, 256> kinds = make_kinds();

constexpr bool is_unreserved(unsigned char byte) {  // RFC 3986 section 2.3
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

/// What one scan learns. A piece is what lies between slashes, be they encoded or not.
struct Findings {
    bool refused = false;
    bool dirty = false;  ///< something must be rewritten
    bool dot_segment = false;
    bool encoded_slash = false;

    void end_piece() noexcept {
        if (piece == 1 || piece == 2) dot_segment = true;
        piece = 0;
    }
    void see(Kind kind) noexcept {
        switch (kind) {
            case Kind::slash:
                end_piece();
                return;
            case Kind::dot:
                piece = piece < 3 ? piece + 1 : 3;
                return;
            case Kind::semicolon:
                if (piece == 1 || piece == 2) refused = true;
                break;
            case Kind::refused:
                refused = true;
                break;
            case Kind::plain:
            case Kind::escape:
                break;
        }
        piece = 3;
    }

  private:
    unsigned piece = 0;  ///< dots of the current piece; 3 = something else than dots
};

/// Judges the escape at `at`, which is two hex digits behind a '%'.
void see_escape(std::string_view path, std::size_t at, Findings& found) noexcept {
    const int value = escape_at(path, at);
    if (value <= 0 || value == '\\') {
        found.refused = true;
        return;
    }
    const auto byte = static_cast<unsigned char>(value);
    if (is_unreserved(byte) || path[at + 1] >= 'a' || path[at + 2] >= 'a') found.dirty = true;
    if (byte == '/') found.encoded_slash = true;
    const Kind kind = kinds[byte];
    const bool structural = kind == Kind::dot || kind == Kind::slash || kind == Kind::semicolon;
    found.see(structural ? kind : Kind::plain);
}

Findings inspect(std::string_view path) noexcept {
    Findings found;
    for (std::size_t i = 0; i < path.size() && !found.refused; ++i) {
        const Kind kind = kinds[static_cast<unsigned char>(path[i])];
        if (kind == Kind::escape) {
            see_escape(path, i, found);
            i += 2;
        } else {
            found.see(kind);
        }
    }
    found.end_piece();
    found.dirty = found.dirty || found.dot_segment;
    found.refused = found.refused || (found.dot_segment && found.encoded_slash);
    return found;
}

void append_decoded(std::string_view segment, std::string& out) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            out.push_back(segment[i]);
            continue;
        }
        const auto byte = static_cast<unsigned char>(escape_at(segment, i));
        i += 2;
        if (is_unreserved(byte)) {
            out.push_back(static_cast<char>(byte));
        } else {
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        }
    }
}

/// RFC 3986 section 5.2.4, on segments that are decoded as they are copied.
void rewrite(std::string_view path, std::string& out) {
    out.clear();
    out.reserve(path.size());
    bool removed = false;
    for (std::size_t begin = 1; begin <= path.size();) {
        const std::size_t slash = path.find('/', begin);
        const bool last = slash == std::string_view::npos;
        const std::size_t mark = out.size();
        out.push_back('/');
        append_decoded(path.substr(begin, last ? path.size() - begin : slash - begin), out);
        const std::string_view segment = std::string_view(out).substr(mark + 1);
        if (segment == "." || segment == "..") {
            const bool up = segment.size() == 2;
            out.resize(mark);
            if (up) out.resize(mark == 0 ? 0 : out.rfind('/'));
            if (last) out.push_back('/');
            removed = true;
        } else if (segment.empty() && mark == 0 && removed && !last) {
            out.clear();  // this slash has come to the front only by the removal
        }
        begin = last ? path.size() + 1 : slash + 1;
    }
}

}  // namespace

Result<std::string_view> normalise_path(std::string_view path, std::string& storage) {
    if (path.empty()) return std::string_view("/");
    if (path == "*") return path;
    if (path.front() != '/') {
        return Error{.kind = ErrorKind::bad_path, .detail = "the path does not begin with a slash"};
    }
    const Findings found = inspect(path);
    if (found.refused) {
        return Error{.kind = ErrorKind::bad_path, .detail = "the path can be read in several ways"};
    }
    if (!found.dirty) return path;
    rewrite(path, storage);
    return std::string_view(storage);
}

}  // namespace scrollgate
