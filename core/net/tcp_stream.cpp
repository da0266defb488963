// Non-blocking sockets, watched edge by edge: the kernel tells of each change once, so the stream
// itself remembers whether bytes may be left. A read that filled less than its room took them all
// (epoll(7), question 9), and the next one waits for a change instead of asking in vain; unless the
// peer has ended, of which no second change will tell.
#include "core/net/tcp_stream.hpp"

#include <cerrno>
#include <utility>

#include <boost/asio/error.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scrollgate {
namespace {

using boost::system::error_code;

constexpr std::uint32_t over = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

error_code system_error(int number) {
    return {number, boost::system::system_category()};
}

bool would_block(int number) {
    return number == EAGAIN || number == EWOULDBLOCK;
}

void send_at_once(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class TcpStream final : public Stream, private ReadinessHandler {
  public:
    explicit TcpStream(EventLoop& loop, int descriptor = -1) : loop_(loop), fd_(descriptor) {}
    ~TcpStream() { close(false); }

    error_code adopt() {
        send_at_once(fd_);
        return watch();
    }

    void start_connect(const SocketAddress& peer, IoHandler& handler) override {
        fd_ = ::socket(peer.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd_ < 0) return loop_.complete_later(handler, {0, system_error(errno)});
        send_at_once(fd_);
        const bool pending = ::connect(fd_, peer.data(), peer.size()) != 0;
        error_code error = pending && errno != EINPROGRESS ? system_error(errno) : error_code();
        if (!error) error = watch();
        if (error || !pending) return loop_.complete_later(handler, {0, error});
        connecting_ = true;
        writer_ = &handler;
    }

    void start_read(std::span<char> into, IoHandler& handler) override {
        if (fd_ < 0) return loop_.complete_later(handler, {0, boost::asio::error::bad_descriptor});
        into_ = into;
        if (IoResult result; readable_ && read(result))
            return loop_.complete_later(handler, result);
        reader_ = &handler;
    }

    void start_wait_readable(IoHandler& handler) override {
        if (fd_ < 0) return loop_.complete_later(handler, {0, boost::asio::error::bad_descriptor});
        if (readable_) return loop_.complete_later(handler, {});
        into_ = {};
        reader_ = &handler;
    }

    void cancel_read() noexcept override { abort(reader_); }

    bool quiet() noexcept override {
        char byte;
        return ::recv(fd_, &byte, 1, MSG_PEEK) < 0 && would_block(errno);
    }

    IoResult try_write(std::span<const iovec> data) noexcept override {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(data.data());
        message.msg_iovlen = data.size();
        const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
        if (sent >= 0) return {static_cast<std::size_t>(sent), {}};
        if (would_block(errno)) return {};
        return {0, system_error(errno)};
    }

    void start_wait_writable(IoHandler& handler) override {
        if (fd_ < 0) return loop_.complete_later(handler, {0, boost::asio::error::bad_descriptor});
        writer_ = &handler;
    }

    void shutdown_write() noexcept override { ::shutdown(fd_, SHUT_WR); }

    void close(bool reset) noexcept override {
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

    bool is_open() const noexcept override { return fd_ >= 0; }

  private:
    // Both directions at once, so that the interest never changes.
    error_code watch() {
        return loop_.watch(fd_, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
    }

    /// False if nothing is there.
    bool read(IoResult& result) noexcept {
        const ssize_t got = ::recv(fd_, into_.data(), into_.size(), 0);
        if (got < 0 && would_block(errno)) {
            readable_ = false;
            return false;
        }
        if (got > 0) {
            readable_ = over_ || static_cast<std::size_t>(got) == into_.size();
            result.bytes = static_cast<std::size_t>(got);
        } else {
            result.error = got == 0 ? error_code(boost::asio::error::eof) : system_error(errno);
        }
        return true;
    }

    void ready(std::uint32_t events) noexcept override {
        over_ = over_ || (events & over) != 0;
        readable_ = readable_ || (events & (EPOLLIN | over)) != 0;
        // An owner with a second operation pending lives until that is through, too.
        IoHandler* const reader = readable_ ? reader_ : nullptr;
        if (writer_ != nullptr && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) finish_write();
        if (reader != nullptr && reader_ == reader) finish_read();
    }

    void finish_write() noexcept {
        IoResult result;
        if (std::exchange(connecting_, false)) {
            int number = 0;
            socklen_t size = sizeof number;
            ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &number, &size);
            if (number != 0) result.error = system_error(number);
        }
        std::exchange(writer_, nullptr)->done(result);
    }

    void finish_read() noexcept {
        IoResult result;
        const bool only_waits = into_.empty();
        if (!only_waits && !read(result)) return;
        std::exchange(reader_, nullptr)->done(result);
    }

    void abort(IoHandler*& handler) noexcept {
        if (handler == nullptr) return;
        loop_.complete_later(*std::exchange(handler, nullptr),
                             {0, boost::asio::error::operation_aborted});
    }

    EventLoop& loop_;
    int fd_;
    bool connecting_ = false;
    bool readable_ = false;  ///< the last change said so, and no read has emptied it since
    bool over_ = false;      ///< the peer has ended or broken: no further change will come
    std::span<char> into_;   ///< empty while only readability is waited for
    IoHandler* reader_ = nullptr;
    IoHandler* writer_ = nullptr;
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(EventLoop& loop) {
    return std::make_unique<TcpStream>(loop);
}

std::unique_ptr<Stream> adopt_tcp_stream(EventLoop& loop, int descriptor) {
    auto stream = std::make_unique<TcpStream>(loop, descriptor);
    if (stream->adopt()) return nullptr;
    return stream;
}

}  // namespace scrollgate
