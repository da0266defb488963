#include "proxy/server/session.hpp"

#include "core/limits.hpp"
#include "proxy/http1/server_session.hpp"
#include "proxy/http2/session.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Session::Session(Worker& worker, Client client) : worker_(worker), client_(std::move(client)) {
    worker_.session_began(*this);
}

Session::Session(Session&& before)
    : SessionHook(), worker_(before.worker_), client_(std::move(before.client_)) {
    before.replaced_ = true;
    before.unlink();
    worker_.session_replaced(*this);
}

Session::~Session() {
    SessionHook::unlink();
    if (!replaced_) worker_.session_ended(client_.peer);
}

Task<void> Session::linger(Connection& connection) {
    using Way = Connection::Way;
    if (!connection.at_end() && !connection.failure() && connection.is_open()) {
        connection.shutdown_write();
        std::size_t discarded = 0;
        connection.expire_at(Way::read, connection.loop().now() + limits::linger,
                             ErrorKind::cancelled);
        while (discarded < limits::linger_bytes && !connection.failure()) {
            discarded += connection.received().size();
            connection.consume(connection.received().size());
            if (!co_await connection.more()) break;
        }
    }
    connection.expire_at(Way::read, never, ErrorKind::cancelled);
    connection.close();
}

void start_session(Worker& worker, std::unique_ptr<Stream> stream, Client client,
                   Protocol protocol) {
    if (protocol == Protocol::http2) {
        Http2Session::start(worker, std::move(stream), std::move(client));
    } else {
        const bool either = protocol == Protocol::cleartext;
        ServerSession::start(worker, std::move(stream), std::move(client), either);
    }
}

}  // namespace scrollgate
