#include "proxy/server/listener_runtime.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "balancer/hash.hpp"

namespace scrollgate {

std::uint64_t terms_of(const config::Listener& listener) {
    std::string terms = fmt::format("{} {}", listener.bind.text(), listener.proxy_protocol);
    if (listener.tls) {
        const TlsServerOptions& tls = *listener.tls;
        terms += fmt::format(" {} {} {} {} {}", static_cast<int>(tls.min_version),
                             static_cast<int>(tls.profile), static_cast<int>(tls.client_auth),
                             fmt::join(tls.alpn, ","), tls.client_ca);
    }
    return std::max<std::uint64_t>(hash_text(terms), 1);
}

}  // namespace scrollgate
