#include "proxy/server/acceptor.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scrollgate {
namespace {

/// Connections per turn of the loop.
constexpr int batch = 64;
/// How long an exhausted process leaves its queue alone.
constexpr std::chrono::milliseconds pause{10};

int open_spare() {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
}

bool lacks_descriptors(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

Acceptor::Acceptor(EventLoop& loop, int descriptor, OnAccept on_accept, OnTrouble on_trouble)
    : loop_(loop),
      listening_(descriptor),
      on_accept_(std::move(on_accept)),
      on_trouble_(std::move(on_trouble)),
      spare_(open_spare()) {
    watch();
}

Acceptor::~Acceptor() {
    loop_.unwatch(listening_, *this);
    if (spare_ >= 0) ::close(spare_);
}

// Level by level: what one batch leaves is told again in the next turn.
void Acceptor::watch() {
    const boost::system::error_code error = loop_.watch(listening_, EPOLLIN, *this);
    if (!error) return;
    on_trouble_(error);
    rest();
}

void Acceptor::ready(std::uint32_t) noexcept {
    for (int i = 0; i < batch && !resting_; ++i) {
        if (!take_one()) break;
    }
}

void Acceptor::drain() {
    while (take_one()) {
    }
}

bool Acceptor::take_one() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* const peer = reinterpret_cast<sockaddr*>(&address);
    const int fd = ::accept4(listening_, peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        on_accept_(fd, SocketAddress(peer, size));
        return true;
    }
    const int error = errno;
    if (lacks_descriptors(error)) shed(error);
    return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

// The newest connection is turned away: a spare descriptor is given up for a moment, so that the
// client sees an end instead of waiting in the queue.
void Acceptor::shed(int error) {
    on_trouble_({error, boost::system::system_category()});
    if (spare_ >= 0) ::close(spare_);
    const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) ::close(fd);
    spare_ = open_spare();
    loop_.unwatch(listening_, *this);
    rest();
}

void Acceptor::rest() {
    resting_ = true;
    loop_.arm(*this, loop_.now() + pause);
}

void Acceptor::expired() noexcept {
    resting_ = false;
    watch();
}

}  // namespace scrollgate
