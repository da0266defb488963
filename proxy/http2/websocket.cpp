#include "proxy/http2/websocket.hpp"

#include "core/http1/websocket_handshake.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

void ask_for_upgrade(Exchange& x, std::string_view protocol) {
    HeaderList& fields = x.request.fields;
    fields.remove(Field::upgrade);
    fields.remove(Field::sec_websocket_key);
    fields.add(Field::upgrade, protocol);
    if (equal_no_case(protocol, "websocket")) {
        const http1::WebSocketKey key = http1::make_websocket_key(x.worker.loop().rng());
        fields.add(Field::sec_websocket_key, x.arena.join({{key.data(), key.size()}}));
    }
    x.upgrade = x.must_upgrade = true;
}

}  // namespace scrollgate
