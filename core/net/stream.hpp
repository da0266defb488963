// Stream: a byte stream to a peer, plain or TLS, real or scripted. The seam of all connection code.
//
// Completions arrive through an IoHandler on the worker's loop, never from inside the call that
// started the operation. close() makes every pending operation complete with an error; the handler
// must live until it has been called. One worker; no locks.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <boost/system/errc.hpp>
#include <boost/system/error_code.hpp>
#include <sys/uio.h>

#include "core/net/address.hpp"
#include "core/net/pipe_pool.hpp"

namespace scrollgate {

struct IoResult {
    std::size_t bytes = 0;
    boost::system::error_code error{};  ///< boost::asio::error::eof at the end of the stream
};

class IoHandler {
  public:
    virtual void done(IoResult result) noexcept = 0;

  protected:
    ~IoHandler() = default;
};

class Stream {
  public:
    virtual ~Stream() = default;

    /// Connects to `peer`. At most once, before anything else.
    virtual void start_connect(const SocketAddress& peer, IoHandler& handler) = 0;
    /// Reads at least one byte into `into`, which must stay valid until completion. One at a time.
    virtual void start_read(std::span<char> into, IoHandler& handler) = 0;
    /// Completes (with 0 bytes) when reading would not block. Counts as the one read.
    virtual void start_wait_readable(IoHandler& handler) = 0;
    /// Calls off the pending read or wait, which completes with operation_aborted. Only while no
    /// write is pending.
    virtual void cancel_read() noexcept = 0;
    /// Nothing has arrived that was not read: no bytes and no end. One system call.
    [[nodiscard]] virtual bool quiet() noexcept = 0;
    /// Writes what goes without blocking: bytes written (0 if none), or an error. Bytes that were
    /// given and did not go are the first of the next write, at least as many: a part of them may
    /// be under way, sealed.
    virtual IoResult try_write(std::span<const iovec> data) noexcept = 0;
    /// Completes (with 0 bytes) when writing would not block. One at a time.
    virtual void start_wait_writable(IoHandler& handler) = 0;
    /// splice_in() and splice_out() work: a plain socket.
    [[nodiscard]] virtual bool splices() const noexcept { return false; }
    /// Moves up to `most` bytes that have arrived into `pipe`, which is empty: how many (0 if none
    /// are there), or an error as of a read. Only while no read is pending.
    virtual IoResult splice_in(Pipe& pipe, std::size_t most) noexcept {
        static_cast<void>(pipe), static_cast<void>(most);
        return {0, make_error_code(boost::system::errc::operation_not_supported)};
    }
    /// Writes what goes of `pipe` without blocking: as try_write().
    virtual IoResult splice_out(Pipe& pipe) noexcept {
        static_cast<void>(pipe);
        return {0, make_error_code(boost::system::errc::operation_not_supported)};
    }
    /// Ends our direction (FIN); reading goes on.
    virtual void shutdown_write() noexcept = 0;
    /// Ends both directions. `reset` sends RST instead of FIN.
    virtual void close(bool reset = false) noexcept = 0;
    [[nodiscard]] virtual bool is_open() const noexcept = 0;
    /// The protocol that ALPN agreed on; empty if none, and before the handshake. Lives as long as
    /// the stream.
    [[nodiscard]] virtual std::string_view alpn() const noexcept { return {}; }
};

}  // namespace scrollgate
