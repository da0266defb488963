// TlsStream: TLS on a non-blocking descriptor, by OpenSSL, the client's end or the server's.
//
// OpenSSL asks for ciphertext through a BIO of ours (SocketBio in the .cpp), which knows what the
// edges have told, sends without SIGPIPE, and reports a FIN as "nothing there": the stream itself
// says what it means, and OpenSSL can go on writing behind it.
//
// Ends: close_notify is boost::asio::error::eof. A FIN without it is TlsError::truncated, because
// anybody on the way can forge one; a message with a length may be whole all the same. In both
// cases bytes that came before are read first, and writing goes on. shutdown_write() and close()
// send close_notify, unless a record is only half with the kernel: then the message was given up,
// and the peer shall see that. close(reset) never does.
//
// Failures: an error_code whose message() is the whole sentence (core/net/tls_error.hpp). OpenSSL
// fails a connection whose peer wants new keys twice while a record of ours is half with the
// kernel.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/net/socket_stream.hpp"
#include "core/net/tls_context.hpp"
#include "core/net/tls_server.hpp"

struct bio_st;  // OpenSSL's BIO
struct ssl_st;  // OpenSSL's SSL

namespace scrollgate {

class TlsStream final : public SocketStream {
  public:
    /// See make_tls_stream().
    TlsStream(EventLoop& loop, const TlsClientContext& context, std::string_view server_name,
              std::shared_ptr<TlsSession> session);
    /// The server's end of a connected, non-blocking descriptor, which it owns from now on.
    /// start_handshake() comes next.
    TlsStream(EventLoop& loop, int descriptor, std::shared_ptr<const TlsServerContext> context);
    ~TlsStream() override;

    /// Shakes hands as a server; completes when that is done. close() calls it off. At most once.
    void start_handshake(IoHandler& handler);

    [[nodiscard]] std::string_view alpn() const noexcept override;
    /// The name that the client asked for (SNI); empty if it did not.
    [[nodiscard]] std::string_view server_name() const noexcept;
    /// The subject of the client's certificate, which was verified (RFC 2253, ASCII); empty if it
    /// has shown none.
    [[nodiscard]] std::string client_subject() const;
    /// The handshake went on from a ticket.
    [[nodiscard]] bool resumed() const noexcept;
    /// OpenSSL's word that the server has sent a session to go on from.
    static int new_session(ssl_st* ssl, ssl_session_st* session) noexcept;

    /// Connects by TCP, then shakes hands; completes when both are done.
    void start_connect(const SocketAddress& peer, IoHandler& handler) override;
    void start_read(std::span<char> into, IoHandler& handler) override;
    void start_wait_readable(IoHandler& handler) override;
    /// Session tickets and the like count as bytes here; a read that is pending takes them away.
    [[nodiscard]] bool quiet() noexcept override;
    /// Parts that are too small for a record of their own share one.
    IoResult try_write(std::span<const iovec> data) noexcept override;
    void start_wait_writable(IoHandler& handler) override;
    /// close_notify and FIN. If the way has no room for close_notify, they follow when it has,
    /// unless close() comes first.
    void shutdown_write() noexcept override;
    void close(bool reset = false) noexcept override;

    /// Connections of this process that were ended with TlsError::flood. Any thread.
    [[nodiscard]] static std::uint64_t floods() noexcept;

  private:
    friend struct SocketBio;
    enum class Blocked : std::uint8_t { no, until_room, until_bytes };

    [[nodiscard]] boost::system::error_code prepare(const TlsClientContext& context,
                                                    std::string_view server_name) noexcept;
    void ready(std::uint32_t events) noexcept override;
    void shake() noexcept;
    [[nodiscard]] bool may_read() const noexcept;
    boost::system::error_code take(std::span<char> into, std::size_t& got, bool kept) noexcept;
    [[nodiscard]] bool read(IoResult& result) noexcept;
    [[nodiscard]] bool look() noexcept;
    void bytes_taken() noexcept;
    void say_goodbye() noexcept;
    void begin() noexcept;
    void count_message() noexcept;
    [[nodiscard]] boost::system::error_code why_not() noexcept;

    std::shared_ptr<const TlsServerContext> server_;  ///< of a server's end
    std::shared_ptr<TlsSession> session_;             ///< of a client's end; may be null
    ssl_st* ssl_ = nullptr;
    boost::system::error_code end_;      ///< of reading: what every further read gets
    boost::system::error_code failure_;  ///< of TLS itself: nothing goes any more
    TimePoint messages_until_{};         ///< when what TLS itself has said is forgotten
    int io_error_ = 0;                   ///< errno of the running operation
    bool reading_ = false;               ///< the running operation is a read
    bool flooded_ = false;               ///< TLS itself has said too much
    bool shaken_ = false;                ///< the handshake is complete
    bool fin_ = false;                   ///< the peer's FIN was read
    bool read_needs_room_ = false;       ///< OpenSSL must send before it can read on
    Blocked blocked_ = Blocked::no;      ///< what the next write waits for
    bool half_ = false;                  ///< a write was held up and not repeated: half a record
    bool shut_ = false;                  ///< shutdown_write() was called
    bool parting_ = false;               ///< what is sent from now on is close_notify, then FIN
    bool notified_ = false;              ///< close_notify is with the kernel, or cannot get there
};

/// An unconnected stream that will verify, if the context says so, that the certificate is for
/// `server_name`: a DNS name, which is also sent as SNI, or an IP literal without brackets, which
/// is not. Never null; if the name is unusable or memory is short, start_connect() says so. Goes on
/// from what `session` holds, and keeps there what the server gives; only with one server and
/// context. The context must outlive a stream with a pinned key until its handshake is over.
[[nodiscard]] std::unique_ptr<TlsStream> make_tls_stream(
    EventLoop& loop, const TlsClientContext& context, std::string_view server_name,
    std::shared_ptr<TlsSession> session = nullptr);

}  // namespace scrollgate
