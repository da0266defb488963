// SocketStream: what every Stream over a TCP socket has: the descriptor and its watch, connecting,
// closing, and the operations that are pending.
//
// The kernel tells of each change once (edge-triggered), so the stream itself remembers whether
// bytes may be left. A read that filled less than its room took them all (epoll(7), question 9),
// and the next one waits for a change instead of asking in vain; unless the peer has ended, of
// which no second change will tell.
#pragma once

#include <cerrno>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <sys/socket.h>

#include "core/net/event_loop.hpp"
#include "core/net/stream.hpp"

namespace scrollgate {

class SocketStream : public Stream, protected ReadinessHandler {
  public:
    SocketStream(const SocketStream&) = delete;
    SocketStream& operator=(const SocketStream&) = delete;
    ~SocketStream() override;

    /// Opens a socket. The event that ends the connecting has room_events; see connect_result().
    void start_connect(const SocketAddress& peer, IoHandler& handler) override;
    /// `preface` goes out when the connection is there, before anything else: a PROXY header. Short
    /// enough for an empty send buffer. Before start_connect().
    void say_first(std::string preface) {
        if (!preface.empty()) preface_ = std::make_unique<std::string>(std::move(preface));
    }
    void cancel_read() noexcept override { abort(reader_); }
    void close(bool reset = false) noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return fd_ >= 0; }
    /// To ask the kernel about the connection; -1 if there is none.
    [[nodiscard]] int descriptor() const noexcept { return fd_; }

  protected:
    static constexpr std::uint32_t room_events = EPOLLOUT | EPOLLHUP | EPOLLERR;
    static constexpr std::uint32_t over_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

    SocketStream(EventLoop& loop, int descriptor) noexcept : loop_(loop), fd_(descriptor) {}

    static boost::system::error_code system_error(int number) noexcept {
        return {number, boost::system::system_category()};
    }
    static bool would_block(int number) noexcept {
        return number == EAGAIN || number == EWOULDBLOCK;
    }

    /// Sets up and watches a connected descriptor that was given to the constructor.
    [[nodiscard]] boost::system::error_code adopt() noexcept;
    /// How the connecting went that an event has ended; clears connecting_.
    [[nodiscard]] boost::system::error_code connect_result() noexcept;

    /// Remembers what an event says about reading. The first thing that ready() does.
    void note(std::uint32_t events) noexcept {
        over_ = over_ || (events & over_events) != 0;
        readable_ = readable_ || (events & (EPOLLIN | over_events)) != 0;
    }
    /// recv(2), remembered. Only if readable_.
    ssize_t receive(char* into, std::size_t room) noexcept {
        const ssize_t got = ::recv(fd_, into, room, 0);
        if (got > 0) {
            readable_ = over_ || static_cast<std::size_t>(got) == room;
        } else if (got < 0 && would_block(errno)) {
            readable_ = false;
        }
        return got;
    }
    /// The kernel holds neither bytes nor an end.
    [[nodiscard]] bool nothing_received() const noexcept {
        char byte;
        return ::recv(fd_, &byte, 1, MSG_PEEK) < 0 && would_block(errno);
    }

    /// Completes what an event has ended; either handler may be null. The stream may be gone
    /// afterwards: a handler may destroy it, and therefore no second one is called from here.
    void complete(IoHandler* reader, const IoResult& got, IoHandler* writer,
                  const IoResult& written) noexcept {
        if (reader == nullptr) {
            if (writer != nullptr) writer->done(written);
            return;
        }
        if (writer != nullptr) loop_.complete_later(*writer, written);
        reader->done(got);
    }
    /// What is pending completes with operation_aborted, in a later step.
    void abort(IoHandler*& handler) noexcept;

    EventLoop& loop_;
    int fd_;
    bool connecting_ = false;
    bool readable_ = false;  ///< the last change said so, and no read has emptied it since
    bool over_ = false;      ///< the peer has ended or broken: no further change will come
    std::span<char> into_;   ///< empty while only readability is waited for
    IoHandler* reader_ = nullptr;
    IoHandler* writer_ = nullptr;  ///< of a wait for room, or of connecting

  private:
    [[nodiscard]] boost::system::error_code watch() noexcept;
    std::unique_ptr<std::string> preface_;  ///< null: usual
};

}  // namespace scrollgate
