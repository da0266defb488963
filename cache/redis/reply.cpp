#include "cache/redis/reply.hpp"

#include <algorithm>

namespace scrollgate::redis {

std::string printable(std::string_view text) {
    constexpr std::size_t most = 120;
    std::string out(text.substr(0, most));
    std::replace_if(
        out.begin(), out.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return out;
}

}  // namespace scrollgate::redis
