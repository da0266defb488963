#include "proxy/server/greeting.hpp"

#include <array>
#include <cerrno>

#include <boost/asio/error.hpp>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/limits.hpp"
#include "core/net/proxy_header.hpp"
#include "core/net/tls_error.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// The type of the first record of TLS (RFC 8446 5.1).
constexpr char tls_handshake = 0x16;

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/// What stands in the kernel, nothing that is more urgent can overtake (RFC 9218 section 10).
void keep_unsent_short(int descriptor) noexcept {
    const int most = 2 * static_cast<int>(limits::http2_write);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);
}

}  // namespace

void Greeting::start(Worker& worker, int descriptor, const SocketAddress& peer,
                     std::shared_ptr<const ListenerRuntime> listener) {
    auto* const made = new Greeting(worker, descriptor, peer, std::move(listener));
    if (made->listener_->proxy_protocol &&
        !is_trusted(*worker.snapshot().shared->config, made->peer_)) {
        made->refuse_proxy("is not one of trusted_proxies");
        return made->end();
    }
    // By edges: half a header that was only looked at is not told again.
    if (worker.loop().watch(descriptor, EPOLLIN | EPOLLRDHUP | EPOLLET, *made)) made->end();
}

Greeting::Greeting(Worker& worker, int descriptor, const SocketAddress& peer,
                   std::shared_ptr<const ListenerRuntime> listener)
    : worker_(worker),
      descriptor_(descriptor),
      peer_(peer),
      listener_(std::move(listener)),
      awaits_header_(listener_->proxy_protocol) {
    worker_.greeting_began(*this);
    worker_.loop().arm(*this, worker_.loop().now() + listener_->handshake);
}

Greeting::~Greeting() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void Greeting::ready(std::uint32_t events) noexcept {
    if (awaits_header_) {
        const Taken taken = take_proxy_header();
        const bool over = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (taken == Taken::refused || (taken == Taken::not_yet && over)) return end();
        if (taken == Taken::not_yet) return;
        awaits_header_ = false;
    }
    if (listener_->tls)
        look_at_first_byte();
    else
        speak_plainly();
}

// ---- PROXY header

/// Takes the header off. Bytes behind it are left to whoever comes next.
Greeting::Taken Greeting::take_proxy_header() {
    std::array<char, limits::proxy_header> bytes;
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_PEEK);
    if (got < 0 && would_block(errno)) return Taken::not_yet;
    if (got <= 0) return Taken::refused;
    const ProxyHeader header = parse_proxy_header({bytes.data(), static_cast<std::size_t>(got)});
    if (header.status == ProxyHeader::Status::need_more) return Taken::not_yet;
    if (header.status == ProxyHeader::Status::failed) {
        refuse_proxy("sends no PROXY header, or a malformed one");
        return Taken::refused;
    }
    static_cast<void>(::recv(descriptor_, bytes.data(), header.consumed, 0));
    anonymous_ = header.anonymous;
    return header.local || believe(header.source) ? Taken::whole : Taken::refused;
}

/// The client is `source` from now on, if limits allow it.
bool Greeting::believe(const SocketAddress& source) {
    if (!worker_.admission().enter(source)) {
        add(worker_.gauges().shed, 1);
        return false;
    }
    worker_.admission().leave(peer_);
    peer_ = source;
    return true;
}

void Greeting::refuse_proxy(const char* why) {
    add(worker_.gauges().proxy_refused, 1);
    worker_.warn(Worker::About::client,
                 fmt::format("listener {}: {} {}; closed", listener_->name, peer_.text(), why));
}

// ---- TLS

void Greeting::look_at_first_byte() {
    char first = 0;
    const ssize_t got = ::recv(descriptor_, &first, 1, MSG_PEEK);
    if (got < 0 && would_block(errno)) return;
    if (got <= 0) return end();
    if (first != tls_handshake) return speak_plainly();
    worker_.loop().unwatch(descriptor_, *this);
    shake();
}

/// A client whom a proxy has not named is not the proxy: its fields are not believed.
Client Greeting::client_on(int descriptor) const {
    Client client = worker_.client_of(*listener_, peer_, descriptor);
    if (anonymous_) client.trusted = false;
    return client;
}

/// HTTP: in place, or without TLS where that is due, which is answered in HTTP.
void Greeting::speak_plainly() {
    worker_.loop().unwatch(descriptor_, *this);
    Client client = client_on(descriptor_);
    client.lacks_tls = listener_->tls != nullptr;
    if (client.lacks_tls) add(worker_.gauges().handshakes_failed, 1);
    std::unique_ptr<Stream> stream =
        adopt_tcp_stream(worker_.loop(), std::exchange(descriptor_, -1));
    if (!stream) return end();
    admitted_ = false;  // the session is
    start_session(worker_, std::move(stream), std::move(client), Protocol::cleartext);
    end();
}

void Greeting::shake() {
    const int owned = std::exchange(descriptor_, -1);
    stream_ = std::make_unique<TlsStream>(worker_.loop(), owned, listener_->tls);
    stream_->start_handshake(*this);
}

void Greeting::done(IoResult result) noexcept {
    if (result.error) {
        if (result.error != boost::asio::error::operation_aborted) failed(result.error);
        return end();
    }
    ConnectionGauges& gauges = worker_.gauges();
    add(gauges.handshakes, 1);
    if (stream_->resumed()) add(gauges.resumed, 1);
    Client client = client_on(stream_->descriptor());
    client.scheme = "https";
    client.tls = std::make_shared<const TlsFacts>(
        TlsFacts{listener_->tls, std::string(stream_->server_name()), stream_->client_subject()});
    admitted_ = false;  // the session is
    const Protocol protocol = stream_->alpn() == "h2" ? Protocol::http2 : Protocol::http1;
    if (protocol == Protocol::http2) keep_unsent_short(stream_->descriptor());
    start_session(worker_, std::move(stream_), std::move(client), protocol);
    end();
}

void Greeting::failed(const boost::system::error_code& error) {
    add(worker_.gauges().handshakes_failed, 1);
    worker_.warn(Worker::About::client,
                 fmt::format("listener {}: {}: TLS handshake failed: {}", listener_->name,
                             peer_.text(), error.message()));
}

// ---- ending

void Greeting::expired() noexcept {
    add(worker_.gauges().handshakes_late, 1);
    abandon();
}

void Greeting::abandon() noexcept {
    if (!stream_) return end();
    leave();
    stream_->close();  // done() comes, and end() with it
}

void Greeting::drain() noexcept {
    char first = 0;
    if (!stream_ && ::recv(descriptor_, &first, 1, MSG_PEEK) < 0 && would_block(errno)) end();
}

std::uint64_t Greeting::terms() const noexcept {
    return listener_->terms;
}

void Greeting::leave() noexcept {
    if (is_linked()) worker_.greeting_ended(*this);
}

void Greeting::end() noexcept {
    leave();
    if (admitted_) worker_.admission().leave(peer_);
    if (descriptor_ >= 0) worker_.loop().forget(*this);
    delete this;
}

}  // namespace scrollgate
