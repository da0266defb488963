#include "health/names.hpp"

#include <algorithm>

#include "core/limits.hpp"

namespace scrollgate {

Names::Answer Names::find(const std::string& host, std::uint16_t port) {
    if (const auto literal = SocketAddress::from_ip(host, port)) return {{*literal}, false};
    Known& known = known_[host];
    const bool old = !known.answered || known.addresses.empty() ||
                     clock_.now() - known.asked >= limits::dependency_names;
    if (old && !known.asking) {
        known.asking = true;
        known.asked = clock_.now();
        ask_(host, [this, host](const Addresses& addresses) {
            Known& answered = known_[host];
            answered.asking = false;
            answered.answered = true;
            if (!addresses.empty()) answered.addresses = addresses;
        });
    }
    Answer answer{{}, !known_[host].answered};
    constexpr std::size_t most = 3;
    for (const SocketAddress& one : known_[host].addresses) {
        if (answer.addresses.size() == most) break;
        answer.addresses.push_back(*SocketAddress::from_ip(one.ip(), port));
    }
    return answer;
}

}  // namespace scrollgate
