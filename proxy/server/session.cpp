#include "proxy/server/session.hpp"

#include "proxy/http1/server_session.hpp"
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

void start_session(Worker& worker, std::unique_ptr<Stream> stream, Client client, Protocol) {
    ServerSession::start(worker, std::move(stream), std::move(client));
}

}  // namespace scrollgate
