#include "core/net/tcp_stream.hpp"

#include <cerrno>
#include <cstring>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace scrollgate {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using boost::system::error_code;

/// The completion handler that Asio stores: one pointer.
struct Done {
    IoHandler* handler;
    void operator()(error_code error, std::size_t bytes) const { handler->done({bytes, error}); }
    void operator()(error_code error) const { handler->done({0, error}); }
};

error_code last_error() {
    return {errno, boost::system::system_category()};
}

void send_at_once(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

class TcpStream final : public Stream {
  public:
    explicit TcpStream(EventLoop& loop) : socket_(loop.context()) {}

    void adopt(int descriptor, int family, error_code& error) {
        socket_.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, error);
        if (error) return;
        send_at_once(descriptor);
    }

    void start_connect(const SocketAddress& peer, IoHandler& handler) override {
        error_code error;
        socket_.open(peer.family() == AF_INET6 ? tcp::v6() : tcp::v4(), error);
        if (!error) socket_.native_non_blocking(true, error);
        if (error) {
            asio::post(socket_.get_executor(), [&handler, error] { handler.done({0, error}); });
            return;
        }
        send_at_once(socket_.native_handle());
        tcp::endpoint endpoint;
        endpoint.resize(peer.size());
        std::memcpy(endpoint.data(), peer.data(), peer.size());
        socket_.async_connect(endpoint, Done{&handler});
    }

    void start_read(std::span<char> into, IoHandler& handler) override {
        socket_.async_read_some(asio::buffer(into.data(), into.size()), Done{&handler});
    }

    void start_wait_readable(IoHandler& handler) override {
        socket_.async_wait(Socket::wait_read, Done{&handler});
    }

    // Asio calls off both directions at once; only connections between two messages come here, and
    // these have no write pending.
    void cancel_read() noexcept override {
        error_code ignored;
        socket_.cancel(ignored);
    }

    bool quiet() noexcept override {
        char byte;
        const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    IoResult try_write(std::span<const iovec> data) noexcept override {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(data.data());
        message.msg_iovlen = data.size();
        const ssize_t sent =
            ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) return {static_cast<std::size_t>(sent), {}};
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
        return {0, last_error()};
    }

    void start_wait_writable(IoHandler& handler) override {
        socket_.async_wait(Socket::wait_write, Done{&handler});
    }

    void shutdown_write() noexcept override {
        error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    void close(bool reset) noexcept override {
        error_code ignored;
        if (reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

    bool is_open() const noexcept override { return socket_.is_open(); }

  private:
    Socket socket_;
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(EventLoop& loop) {
    return std::make_unique<TcpStream>(loop);
}

std::unique_ptr<Stream> adopt_tcp_stream(EventLoop& loop, int descriptor, int family) {
    auto stream = std::make_unique<TcpStream>(loop);
    error_code error;
    stream->adopt(descriptor, family, error);
    if (error) {
        ::close(descriptor);
        return nullptr;
    }
    return stream;
}

}  // namespace scrollgate
