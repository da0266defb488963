#include "core/net/socket_stream.hpp"

#include <utility>

#include <boost/asio/error.hpp>
#include <netinet/tcp.h>
#include <unistd.h>

namespace scrollgate {

using boost::system::error_code;

namespace {

void send_at_once(int descriptor) noexcept {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

SocketStream::~SocketStream() {
    SocketStream::close(false);
}

error_code SocketStream::adopt() noexcept {
    send_at_once(fd_);
    return watch();
}

// Both directions at once, so that the interest never changes.
error_code SocketStream::watch() noexcept {
    return loop_.watch(fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

void SocketStream::start_connect(const SocketAddress& peer, IoHandler& handler) {
    fd_ = ::socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return loop_.complete_later(handler, {0, system_error(errno)});
    send_at_once(fd_);
    error_code error;
    if (::connect(fd_, peer.data(), peer.size()) != 0 && errno != EINPROGRESS)
        error = system_error(errno);
    if (!error) error = watch();
    if (error) return loop_.complete_later(handler, {0, error});
    connecting_ = true;
    writer_ = &handler;
}

error_code SocketStream::connect_result() noexcept {
    connecting_ = false;
    int number = 0;
    socklen_t size = sizeof number;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &number, &size);
    if (number != 0) return system_error(number);
    if (!preface_) return {};
    const std::string preface = *std::exchange(preface_, nullptr);
    const ssize_t sent = ::send(fd_, preface.data(), preface.size(), MSG_NOSIGNAL);
    if (sent < 0) return system_error(errno);
    if (static_cast<std::size_t>(sent) < preface.size()) return system_error(ENOBUFS);
    return {};
}

void SocketStream::close(bool reset) noexcept {
    if (fd_ < 0) return;
    if (reset) {
        const linger at_once{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    loop_.forget(*this);
    ::close(std::exchange(fd_, -1));
    abort(reader_);
    abort(writer_);
}

void SocketStream::abort(IoHandler*& handler) noexcept {
    if (handler == nullptr) return;
    loop_.complete_later(*std::exchange(handler, nullptr),
                         {0, boost::asio::error::operation_aborted});
}

}  // namespace scrollgate
