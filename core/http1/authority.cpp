// Host and port in their strict reading; IPv6 addresses are judged by the C library.
#include "core/http1/authority.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "core/http1/bytes.hpp"

namespace scrollgate::http1 {
namespace {

constexpr std::size_t longest_name = 255;

bool valid_port(std::string_view digits) noexcept {
    if (digits.empty() || digits.size() > 5 || digits.front() == '0') return false;
    unsigned port = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        port = port * 10 + static_cast<unsigned>(c - '0');
    }
    return port <= 65'535;
}

bool valid_ipv6(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != text.npos) return false;
    std::copy(text.begin(), text.end(), terminated.begin());
    in6_addr parsed{};
    return ::inet_pton(AF_INET6, terminated.data(), &parsed) == 1;
}

bool valid_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= longest_name && name.front() != '.' &&
           all_of<host_bytes>(name) && name.find("..") == std::string_view::npos;
}

bool valid(std::string_view text, bool port_required) noexcept {
    std::string_view behind;
    if (!text.empty() && text.front() == '[') {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos || !valid_ipv6(text.substr(1, close - 1))) return false;
        behind = text.substr(close + 1);
    } else {
        const std::size_t colon = std::min(text.find(':'), text.size());
        if (!valid_name(text.substr(0, colon))) return false;
        behind = text.substr(colon);
    }
    if (behind.empty()) return !port_required;
    return behind.front() == ':' && valid_port(behind.substr(1));
}

}  // namespace

bool valid_authority(std::string_view text) noexcept {
    return valid(text, false);
}

bool valid_host_and_port(std::string_view text) noexcept {
    return valid(text, true);
}

}  // namespace scrollgate::http1
