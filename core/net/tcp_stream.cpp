#include "core/net/tcp_stream.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/error.hpp>
#include <fcntl.h>

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
        const ssize_t sent = gather(data);
        if (sent >= 0) return {static_cast<std::size_t>(sent), {}};
        if (would_block(errno)) return {};
        return {0, system_error(errno)};
    }

    void start_wait_writable(IoHandler& handler) override {
        if (fd_ < 0) return loop_.complete_later(handler, {0, boost::asio::error::bad_descriptor});
        writer_ = &handler;
    }

    bool splices() const noexcept override { return true; }

    // The pipe is empty, so that EAGAIN speaks of the socket; or of urgent data, before which a
    // splice stops for ever. Whether more is left a splice does not tell: it ends where the pipe
    // has no slot any more, long before that is full.
    IoResult splice_in(Pipe& pipe, std::size_t most) noexcept override {
        if (fd_ < 0) return {0, boost::asio::error::bad_descriptor};
        if (!readable_) return {};
        const ssize_t got = move(fd_, pipe.entry(), std::min(most, pipe.size()));
        if (got > 0) {
            pipe.gained(static_cast<std::size_t>(got));
            return {static_cast<std::size_t>(got), {}};
        }
        if (got == 0) return {0, boost::asio::error::eof};
        if (!would_block(errno)) return {0, system_error(errno)};
        readable_ = !nothing_received();
        return {};
    }

    // No MSG_NOSIGNAL here: Pipe::open() minds SIGPIPE.
    IoResult splice_out(Pipe& pipe) noexcept override {
        const ssize_t sent = move(pipe.exit(), fd_, pipe.held());
        if (sent > 0) {
            pipe.lost(static_cast<std::size_t>(sent));
            return {static_cast<std::size_t>(sent), {}};
        }
        if (sent == 0 || would_block(errno)) return {};
        return {0, system_error(errno)};
    }

    void shutdown_write() noexcept override { ::shutdown(fd_, SHUT_WR); }

  private:
    static ssize_t move(int from, int to, std::size_t most) noexcept {
        return ::splice(from, nullptr, to, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    }
    /// One piece goes without the header that sendmsg has copied and checked: 0.2 us of 8.
    ssize_t gather(std::span<const iovec> data) const noexcept {
        if (data.size() == 1) return ::send(fd_, data[0].iov_base, data[0].iov_len, MSG_NOSIGNAL);
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(data.data());
        message.msg_iovlen = data.size();
        return ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
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
