#include "bench/load/dial.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <netdb.h>

#include "bench/plan/url.hpp"
#include "core/net/tcp_stream.hpp"
#include "core/net/tls_error.hpp"
#include "core/net/tls_stream.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;

std::vector<SocketAddress> resolve(const Origin& origin) {
    if (const auto literal = SocketAddress::from_ip(origin.host, origin.port)) return {*literal};
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int status =
        ::getaddrinfo(origin.host.c_str(), std::to_string(origin.port).c_str(), &hints, &found);
    if (status != 0)
        throw BadInput(fmt::format("cannot resolve {}: {}", origin.host, ::gai_strerror(status)));
    std::vector<SocketAddress> addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next)
        addresses.emplace_back(at->ai_addr, at->ai_addrlen);
    ::freeaddrinfo(found);
    return addresses;
}

/// One attempt to connect, with an end.
struct Trial final : IoHandler, TimerWheel::Timer {
    explicit Trial(EventLoop& in) : loop(in) {}
    void done(IoResult result) noexcept override {
        error = result.error;
        loop.stop();
    }
    void expired() noexcept override {
        late = true;
        stream->close();
    }
    EventLoop& loop;
    std::unique_ptr<Stream> stream;
    boost::system::error_code error;
    bool late = false;
};

/// What the user may have meant instead, in brackets.
std::string_view hint_for(const boost::system::error_code& error, const Plan& plan) noexcept {
    if (is_certificate_error(error)) return " (--insecure believes any certificate)";
    if (error == TlsError::not_tls) return " (http:// instead of https://?)";
    if (error == TlsError::no_protocol) return plan.http2 ? " (--http1?)" : " (--http2?)";
    return "";
}

/// HTTP/2 over TLS is there only if ALPN says so (RFC 9113 3.3); HTTP/1.1 needs no ALPN.
bool agrees(const Stream& stream, const Plan& plan) {
    return !plan.http2 || !plan.origin.tls || stream.alpn() == "h2";
}

/// Why `address` is of no use to the plan; empty if it is.
std::string try_once(const Dial& dial, const SocketAddress& address, const Plan& plan) {
    EventLoop loop(system_clock(), 1, 1'000);
    Trial trial(loop);
    trial.stream = dial.open(loop, nullptr);
    loop.arm(trial, loop.now() + std::min<Duration>(plan.timeout, 10s));
    trial.stream->start_connect(address, trial);
    loop.run();
    if (!trial.error && !agrees(*trial.stream, plan)) trial.error = TlsError::no_protocol;
    trial.stream->close();
    if (trial.late) return "no answer in time";
    if (!trial.error) return "";
    return trial.error.message().append(hint_for(trial.error, plan));
}

decltype(Dial::open) opener_for(const Plan& plan) {
    using Session = std::shared_ptr<TlsSession>;
    if (!plan.origin.tls)
        return [](EventLoop& loop, const Session&) { return make_tcp_stream(loop); };
    const TlsClientOptions options{
        .verify = plan.verify, .ca_file = {}, .alpn = {plan.http2 ? "h2" : "http/1.1"}};
    return [context = std::make_shared<TlsClientContext>(options), name = plan.origin.host](
               EventLoop& loop, Session session) {
        return make_tls_stream(loop, *context, name, std::move(session));
    };
}

}  // namespace

Dial dial_for(const Plan& plan) {
    Dial dial;
    dial.open = opener_for(plan);
    std::string why;
    const std::vector<SocketAddress> all = resolve(plan.origin);
    // A name may have addresses that nobody listens on (localhost: ::1 and 127.0.0.1).
    for (const SocketAddress& address : all) {
        const std::string trouble = try_once(dial, address, plan);
        if (trouble.empty()) {
            dial.addresses.push_back(address);
        } else if (why.empty()) {
            why = fmt::format("cannot connect to {}: {}", address.text(), trouble);
        }
    }
    if (dial.addresses.empty()) throw BadInput(why);
    return dial;
}

}  // namespace scrollgate::bench
