#include "bench/load/dial.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <netdb.h>

#include "bench/plan/url.hpp"
#include "core/net/tcp_stream.hpp"

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

/// Why `address` cannot be reached; empty if it can.
std::string try_once(const Dial& dial, const SocketAddress& address, Duration timeout) {
    EventLoop loop(system_clock(), 1, 1'000);
    Trial trial(loop);
    trial.stream = dial.open(loop);
    loop.arm(trial, loop.now() + timeout);
    trial.stream->start_connect(address, trial);
    loop.run();
    trial.stream->close();
    if (trial.late) return "no answer in time";
    return trial.error ? trial.error.message() : std::string();
}

}  // namespace

Dial dial_for(const Plan& plan) {
    Dial dial;
    dial.open = [](EventLoop& loop) { return make_tcp_stream(loop); };
    std::string why;
    std::vector<SocketAddress> all = resolve(plan.origin);
    const Duration timeout = std::min<Duration>(plan.timeout, 10s);
    // A name may have addresses that nobody listens on (localhost: ::1 and 127.0.0.1).
    for (const SocketAddress& address : all) {
        const std::string trouble = try_once(dial, address, timeout);
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
