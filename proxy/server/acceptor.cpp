#include "proxy/server/acceptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/descriptor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scrollgate {

namespace asio = boost::asio;
using boost::system::error_code;

struct Acceptor::Impl : std::enable_shared_from_this<Acceptor::Impl> {
    Impl(EventLoop& loop, int fd, OnAccept accept, OnTrouble trouble)
        : listening(loop.context(), fd),
          pause(loop.context()),
          on_accept(std::move(accept)),
          on_trouble(std::move(trouble)),
          spare(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

    ~Impl() {
        listening.release();
        if (spare >= 0) ::close(spare);
    }

    void wait() {
        listening.async_wait(asio::posix::stream_descriptor::wait_read,
                             [self = shared_from_this()](error_code error) {
                                 if (!error && !self->stopped) self->take(batch);
                             });
    }

    /// Accepts up to `most`, then waits again.
    void take(int most) {
        for (int i = 0; i < most; ++i) {
            if (!take_one()) break;
        }
        if (!stopped && !pausing) wait();
    }

    bool take_one() {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        auto* const peer = reinterpret_cast<sockaddr*>(&address);
        const int fd =
            ::accept4(listening.native_handle(), peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            on_accept(fd, SocketAddress(peer, size));
            return true;
        }
        if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) return true;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) shed();
        return false;
    }

    // The newest connection is turned away: a spare descriptor is given up for a moment, so that
    // the client sees an end instead of waiting in the queue. Then a short rest.
    void shed() {
        on_trouble(error_code(errno, boost::system::system_category()));
        if (spare >= 0) ::close(spare);
        const int fd = ::accept4(listening.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
        if (fd >= 0) ::close(fd);
        spare = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        pausing = true;
        pause.expires_after(std::chrono::milliseconds(10));
        pause.async_wait([self = shared_from_this()](error_code error) {
            self->pausing = false;
            if (!error && !self->stopped) self->take(batch);
        });
    }

    static constexpr int batch = 64;

    asio::posix::stream_descriptor listening;
    asio::steady_timer pause;
    OnAccept on_accept;
    OnTrouble on_trouble;
    int spare;
    bool stopped = false;
    bool pausing = false;
};

Acceptor::Acceptor(EventLoop& loop, int descriptor, OnAccept on_accept, OnTrouble on_trouble)
    : impl_(std::make_shared<Impl>(loop, descriptor, std::move(on_accept), std::move(on_trouble))) {
    impl_->wait();
}

Acceptor::~Acceptor() {
    impl_->stopped = true;
    impl_->pause.cancel();
    impl_->listening.release();
}

int Acceptor::descriptor() const noexcept {
    return impl_->listening.native_handle();
}

void Acceptor::drain() {
    while (impl_->take_one()) {
    }
}

}  // namespace scrollgate
