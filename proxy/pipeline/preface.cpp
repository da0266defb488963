#include "proxy/pipeline/preface.hpp"

#include "core/net/proxy_header.hpp"

namespace scrollgate {

std::string preface_for(const Exchange& x, const Endpoint& endpoint) {
    using Which = config::Pool::ProxyProtocol;
    switch (endpoint.proxy_protocol) {
        case Which::off:
            return {};
        case Which::v1:
            return proxy_header_v1(x.client->peer, x.client->local);
        case Which::v2:
            return proxy_header_v2(x.client->peer, x.client->local);
    }
    return {};
}

}  // namespace scrollgate
