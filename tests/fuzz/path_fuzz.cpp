// Fuzz target: normalise_path, with a reader of its own as the judge. Whatever an origin does to a
// forwarded path that is due to it (decode it once, or not; resolve dot segments, or not) must lead
// to the same resource.
#include <string>
#include <string_view>

#include "proxy/routing/path.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using scrollgate::fuzz::require;

int digit(char c) {
    const std::string_view digits = "0123456789ABCDEF";
    const std::size_t at = digits.find(c);
    require(at != std::string_view::npos, "hex digits are valid and in upper case");
    return static_cast<int>(at);
}

std::string decoded(std::string_view path) {
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out += path[i];
            continue;
        }
        require(i + 2 < path.size(), "escapes are whole");
        out += static_cast<char>(digit(path[i + 1]) * 16 + digit(path[i + 2]));
        i += 2;
    }
    return out;
}

bool has_dot_segment(std::string path) {
    path += '/';
    for (const char* segment : {"/./", "/../", "/.;", "/..;"}) {
        if (path.find(segment) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view path = scrollgate::fuzz::as_text(data, size);
    std::string storage;
    const auto once = scrollgate::normalise_path(path, storage);
    if (once.has_error()) return 0;
    const std::string_view normal = *once;
    if (path == "*") {
        require(normal == "*", "\"*\" stays");
        return 0;
    }

    require(normal.starts_with('/'), "a path begins with a slash");
    require(!normal.starts_with("//") || path.starts_with("//"), "no new slashes at the front");
    for (const char c : normal) {
        require(c > ' ' && c < 0x7f && c != '\\' && c != '#' && c != '?', "bytes are a path's");
    }
    const std::string plain = decoded(normal);
    require(plain.find('\0') == std::string::npos, "no NUL, also decoded");
    require(plain.find('\\') == std::string::npos, "no backslash, also decoded");
    require(!has_dot_segment(std::string(normal)), "no dot segment");
    require(!has_dot_segment(plain), "no dot segment, also decoded");

    std::string again;
    const auto twice = scrollgate::normalise_path(normal, again);
    require(twice.has_value() && *twice == normal, "normalising twice is the same as once");
    require(again.empty(), "what is normal is not copied");
    return 0;
}
