#include "core/net/tcp_stream.hpp"

#include <utility>

#include <boost/asio/error.hpp>

#include "core/net/socket_stream.hpp"

namespace scrollgate {
namespace {

class TcpStream final : public SocketStream {
  public:
    explicit TcpStream(EventLoop& loop, int descriptor = -1) : SocketStream(loop, descriptor) {}

    using SocketStream::adopt;

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

    bool quiet() noexcept override { return nothing_received(); }

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

  private:
    /// False if nothing is there.
    bool read(IoResult& result) noexcept {
        const ssize_t got = receive(into_.data(), into_.size());
        if (got > 0) {
            result.bytes = static_cast<std::size_t>(got);
        } else if (got == 0) {
            result.error = boost::asio::error::eof;
        } else if (would_block(errno)) {
            return false;
        } else {
            result.error = system_error(errno);
        }
        return true;
    }

    void ready(std::uint32_t events) noexcept override {
        note(events);
        IoHandler* writer = nullptr;
        IoResult written, got;
        if (writer_ != nullptr && (events & room_events) != 0) {
            writer = std::exchange(writer_, nullptr);
            if (connecting_) written.error = connect_result();
        }
        const bool due = reader_ != nullptr && readable_ && (into_.empty() || read(got));
        complete(due ? std::exchange(reader_, nullptr) : nullptr, got, writer, written);
    }
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(EventLoop& loop, std::string preface) {
    auto stream = std::make_unique<TcpStream>(loop);
    stream->say_first(std::move(preface));
    return stream;
}

std::unique_ptr<Stream> adopt_tcp_stream(EventLoop& loop, int descriptor) {
    auto stream = std::make_unique<TcpStream>(loop, descriptor);
    if (stream->adopt()) return nullptr;
    return stream;
}

}  // namespace scrollgate
