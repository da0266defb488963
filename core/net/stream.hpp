// Stream: a byte stream to a peer, plain or TLS, real or scripted. The seam of all connection code.
//
// Completions arrive through an IoHandler on the worker's loop, never from inside the call that
// started the operation. close() makes every pending operation complete with an error; the handler
// must live until it has been called. One worker; no locks.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <boost/system/error_code.hpp>
#include <sys/uio.h>

#include "core/net/address.hpp"

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
