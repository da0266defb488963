#include "proxy/pipeline/preface.hpp"

#include "core/net/proxy_header.hpp"

namespace scrollgate {

std::string preface_for(const Exchange& x, const Endpoint& endpoint) {
    using Which = config::Pool::ProxyProtocol;
    const bool nobody = x.client->ip.empty();  // a URL that is warmed up: we ask ourselves
    switch (endpoint.proxy_protocol) {
        case Which::off:
            return {};
        case Which::v1:
            if (nobody) return proxy_header_v1_local();
            return proxy_header_v1(x.client->peer, x.client->local);
        case Which::v2:
            if (nobody) return proxy_header_v2_local();
            return proxy_header_v2(x.client->peer, x.client->local);
    }
    return {};
}

}  // namespace scrollgate
