#include "core/net/dialer.hpp"

#include "core/net/tls_stream.hpp"

namespace scrollgate {

std::unique_ptr<Stream> SocketDialer::open(EventLoop& loop, const DialPlan& plan) {
    if (!plan.tls) return make_tcp_stream(loop, plan.preface);
    auto stream = make_tls_stream(loop, *plan.tls->context, plan.tls->server_name, plan.session);
    stream->say_first(plan.preface);
    return stream;
}

}  // namespace scrollgate
