#include "core/net/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>

#include <boost/asio/error.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/limits.hpp"
#include "core/net/address.hpp"
#include "core/net/tls_error.hpp"

namespace scrollgate {

namespace error = boost::asio::error;
using boost::system::error_code;

/// OpenSSL's view of the descriptor. One BIO serves all streams of a thread, because OpenSSL asks
/// it only while we call, and one for each would cost 200 bytes: begin() says whose turn it is.
struct SocketBio {
    static thread_local TlsStream* current;

    static int read(BIO* bio, char* into, int room) {
        TlsStream& self = *current;
        BIO_clear_retry_flags(bio);
        const bool refuses = self.reading_ && self.flooded_;
        if (self.readable_ && !self.fin_ && !refuses) {
            const ssize_t got = self.receive(into, static_cast<std::size_t>(room));
            if (got > 0) return static_cast<int>(got);
            if (got < 0 && !TlsStream::would_block(errno)) {
                self.io_error_ = errno;
                return -1;
            }
            self.fin_ = got == 0;
        }
        BIO_set_retry_read(bio);
        return -1;
    }

    static int write(BIO* bio, const char* from, int size) {
        TlsStream& self = *current;
        BIO_clear_retry_flags(bio);
        const int flags = MSG_NOSIGNAL | (may_wait(self) ? MSG_MORE : 0);
        const ssize_t sent = ::send(self.fd_, from, static_cast<std::size_t>(size), flags);
        if (sent >= 0) return static_cast<int>(sent);
        if (TlsStream::would_block(errno)) {
            BIO_set_retry_write(bio);
        } else {
            self.io_error_ = errno;
        }
        return -1;
    }

    /// It may share a packet with what follows: nobody waits for a ticket (the kernel holds it for
    /// 200 ms at most), and behind close_notify FIN comes at once.
    static bool may_wait(const TlsStream& self) {
        return self.parting_ || SSL_get_state(self.ssl_) == TLS_ST_SW_SESSION_TICKET;
    }

    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

    /// Counts what comes, behind the handshake, that is no data: a KeyUpdate, which costs new keys;
    /// and, since OpenSSL does not show a ClientHello in the midst of TLS 1.2, the alert that it
    /// costs.
    static void look_at(int sent, int, int type, const void*, std::size_t, SSL*, void* stream) {
        auto& self = *static_cast<TlsStream*>(stream);
        const int counted = sent == 1 ? SSL3_RT_ALERT : SSL3_RT_HANDSHAKE;
        if (type == counted && self.reading_) self.count_message();
    }

    /// A reference of the caller's to this thread's. Null if there is no memory.
    static BIO* of_thread() {
        struct Owned {
            ~Owned() { BIO_free(bio); }
            BIO* bio = make();
        };
        thread_local const Owned own;
        return own.bio != nullptr && BIO_up_ref(own.bio) == 1 ? own.bio : nullptr;
    }

  private:
    static BIO* make() {
        static BIO_METHOD* const method = [] {
            BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
            if (made == nullptr) return made;
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        return method != nullptr ? BIO_new(method) : nullptr;
    }
};

thread_local TlsStream* SocketBio::current = nullptr;

namespace {

constexpr std::size_t record_bytes = SSL3_RT_MAX_PLAIN_LENGTH;

std::atomic<std::uint64_t> flood_count{0};

error_code no_memory() {
    return boost::system::errc::make_error_code(boost::system::errc::not_enough_memory);
}

/// What the next record holds of `parts` behind their first `skip` bytes: in place if one part
/// fills it or is the last, else joined in `room`. Empty when nothing is left.
std::string_view next_record(std::span<const iovec> parts, std::size_t skip,
                             std::array<char, record_bytes>& room) noexcept {
    std::size_t size = 0;
    for (const iovec& each : parts) {
        std::string_view part(static_cast<const char*>(each.iov_base), each.iov_len);
        const std::size_t skipped = std::min(skip, part.size());
        skip -= skipped;
        part = part.substr(skipped, record_bytes - size);
        const bool fills = part.size() == record_bytes || &each == &parts.back();
        if (size == 0 && fills) return part;
        if (!part.empty()) std::memcpy(room.data() + size, part.data(), part.size());
        size += part.size();
    }
    return {room.data(), size};
}

/// Lets go of the keys that the secrets were agreed with: OpenSSL would keep them to the end, 450
/// bytes with TLS 1.3, and with them what was said could be read out of our memory later.
void forget_keys(SSL* ssl) noexcept {
    const auto forget = [](EVP_PKEY* key) {
        EVP_PKEY_set_type(key, EVP_PKEY_get_id(key));  // the same kind, and empty
        EVP_PKEY_free(key);
    };
    EVP_PKEY* key = nullptr;
    if (SSL_get_tmp_key(ssl, &key) == 1) forget(key);
    if (SSL_get_peer_tmp_key(ssl, &key) == 1) forget(key);
}

/// Makes `ssl` ask for `name`, and verify it. False if OpenSSL refuses.
bool expect(SSL* ssl, const std::string& name, bool verifies) noexcept {
    X509_VERIFY_PARAM* const rules = SSL_get0_param(ssl);
    if (SocketAddress::from_ip(name, 0))
        return !verifies || X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1;
    if (SSL_set_tlsext_host_name(ssl, name.c_str()) != 1) return false;
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return !verifies || X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) == 1;
}

}  // namespace

// ---- connecting

TlsStream::TlsStream(EventLoop& loop, const TlsClientContext& context, std::string_view server_name,
                     std::shared_ptr<TlsSession> session)
    : SocketStream(loop, -1), session_(std::move(session)) {
    ERR_clear_error();
    failure_ = prepare(context, server_name);
    ERR_clear_error();
}

TlsStream::TlsStream(EventLoop& loop, int descriptor,
                     std::shared_ptr<const TlsServerContext> context)
    : SocketStream(loop, descriptor), server_(std::move(context)) {
    ERR_clear_error();
    ssl_ = SSL_new(server_->handle());
    BIO* const bio = ssl_ != nullptr ? SocketBio::of_thread() : nullptr;
    if (bio == nullptr) {
        failure_ = no_memory();
        ERR_clear_error();
        return;
    }
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_accept_state(ssl_);
}

TlsStream::~TlsStream() {
    TlsStream::close(false);
    SSL_free(ssl_);
}

error_code TlsStream::prepare(const TlsClientContext& context,
                              std::string_view server_name) noexcept {
    ssl_ = SSL_new(context.handle());
    BIO* const bio = ssl_ != nullptr ? SocketBio::of_thread() : nullptr;
    if (bio == nullptr) return no_memory();
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_connect_state(ssl_);
    SSL_set_app_data(ssl_, this);
    if (session_ && session_->latest() != nullptr) SSL_set_session(ssl_, session_->latest());
    if (server_name.ends_with('.')) server_name.remove_suffix(1);  // RFC 6066 3
    if (server_name.find('\0') != std::string_view::npos) return TlsError::bad_name;
    if (server_name.empty()) return context.verifies() ? TlsError::bad_name : error_code();
    if (!expect(ssl_, std::string(server_name), context.verifies())) return TlsError::bad_name;
    return {};
}

void TlsStream::start_connect(const SocketAddress& peer, IoHandler& handler) {
    if (failure_) return loop_.complete_later(handler, {0, failure_});
    SocketStream::start_connect(peer, handler);
}

// The first event comes by itself: it tells how the descriptor is now.
void TlsStream::start_handshake(IoHandler& handler) {
    if (!failure_) failure_ = adopt();
    if (failure_) return loop_.complete_later(handler, {0, failure_});
    writer_ = &handler;
}

std::string_view TlsStream::server_name() const noexcept {
    const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? std::string_view(name) : std::string_view();
}

std::string TlsStream::client_subject() const {
    X509* const shown = SSL_get0_peer_certificate(ssl_);
    if (shown == nullptr) return {};
    BIO* const text = BIO_new(BIO_s_mem());
    if (text == nullptr) return {};
    X509_NAME_print_ex(text, X509_get_subject_name(shown), 0, XN_FLAG_RFC2253);
    const char* bytes = nullptr;
    const long size = BIO_get_mem_data(text, &bytes);
    std::string made(bytes, static_cast<std::size_t>(size));
    BIO_free(text);
    return made;
}

// 1: the session is ours now.
int TlsStream::new_session(ssl_st* ssl, ssl_session_st* session) noexcept {
    const auto* const self = static_cast<TlsStream*>(SSL_get_app_data(ssl));
    if (!self->session_) return 0;
    self->session_->keep(session);
    return 1;
}

bool TlsStream::resumed() const noexcept {
    return SSL_session_reused(ssl_) == 1;
}

std::string_view TlsStream::alpn() const noexcept {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

void TlsStream::shake() noexcept {
    begin();
    error_code failed;
    if (SSL_do_handshake(ssl_) != 1) {
        failed = why_not();
        if (failed == error::would_block) return;
        if (failed == TlsError::truncated || failed == error::eof)
            failed = TlsError::closed_in_handshake;
        failure_ = failed;
    }
    shaken_ = !failed;
    if (shaken_) {
        forget_keys(ssl_);
        SSL_set_msg_callback(ssl_, SocketBio::look_at);
        SSL_set_msg_callback_arg(ssl_, this);
    }
    std::exchange(writer_, nullptr)->done({0, failed});
}

// ---- events

void TlsStream::ready(std::uint32_t events) noexcept {
    note(events);
    const bool room = (events & room_events) != 0;
    if (connecting_) {
        if (!room) return;
        if (const error_code failed = connect_result()) {
            failure_ = failed;
            return complete(nullptr, {}, std::exchange(writer_, nullptr), {0, failed});
        }
    }
    if (!shaken_) {
        if (!failure_) shake();
        return;
    }
    if (room && shut_ && !notified_) say_goodbye();
    if (room || blocked_ == Blocked::until_bytes) blocked_ = Blocked::no;
    IoResult got;
    const bool due = reader_ != nullptr && (into_.empty() ? look() : read(got));
    IoHandler* const writer = blocked_ == Blocked::no ? std::exchange(writer_, nullptr) : nullptr;
    complete(due ? std::exchange(reader_, nullptr) : nullptr, got, writer, {});
}

/// Before every call of OpenSSL's that may read or write. What others have left in the thread's
/// queue of errors would be taken for its failure by why_not().
void TlsStream::begin() noexcept {
    SocketBio::current = this;
    io_error_ = 0;
    ERR_clear_error();
}

/// TLS itself has said something. Nobody has reason to say much: beyond what is bounded nothing is
/// read any more, and the connection is lost.
void TlsStream::count_message() noexcept {
    if (flooded_) return;
    const TimePoint now = loop_.now();
    messages_until_ = std::max(messages_until_, now) + limits::tls_message_every;
    flooded_ = messages_until_ - now > limits::tls_messages * limits::tls_message_every;
    if (flooded_) flood_count.fetch_add(1, std::memory_order_relaxed);
}

std::uint64_t TlsStream::floods() noexcept {
    return flood_count.load(std::memory_order_relaxed);
}

/// Why an operation of OpenSSL's did not succeed; would_block if it is to be repeated.
error_code TlsStream::why_not() noexcept {
    if (io_error_ != 0) return system_error(io_error_);
    switch (SSL_get_error(ssl_, -1)) {
        case SSL_ERROR_WANT_READ:
            if (fin_) return TlsError::truncated;
            return error::would_block;
        case SSL_ERROR_WANT_WRITE:
            return error::would_block;
        case SSL_ERROR_ZERO_RETURN:
            return error::eof;
        default:
            break;
    }
    failure_ = take_tls_error(SSL_get_verify_result(ssl_));
    return failure_;
}

// ---- reading

/// OpenSSL may have something for us: from the kernel, from bytes it has taken ahead, or because it
/// can go on with what held it up.
bool TlsStream::may_read() const noexcept {
    return readable_ || read_needs_room_ || SSL_has_pending(ssl_) == 1;
}

/// What one record gives: its bytes, `kept` for the next read or not, or why there are none.
error_code TlsStream::take(std::span<char> into, std::size_t& got, bool kept) noexcept {
    if (!end_) end_ = failure_;
    if (end_) return end_;
    if (!may_read()) return error::would_block;
    const auto call = kept ? SSL_peek_ex : SSL_read_ex;
    error_code failed;
    begin();
    reading_ = true;
    if (call(ssl_, into.data(), into.size(), &got) != 1) failed = why_not();
    reading_ = false;
    if (flooded_) failed = failure_ = TlsError::flood;
    const bool again = failed == error::would_block;
    read_needs_room_ = again && SSL_want_write(ssl_);
    if (!again) end_ = failed;
    bytes_taken();
    return failed;
}

/// Records until the room is full or nothing is left; false if nothing was there.
bool TlsStream::read(IoResult& result) noexcept {
    error_code failed;
    while (result.bytes < into_.size() && !failed) {
        std::size_t got = 0;
        failed = take(into_.subspan(result.bytes), got, false);
        result.bytes += got;
    }
    if (result.bytes != 0) return true;
    result.error = failed;
    return failed != error::would_block;
}

/// Whether a read would give something: a byte, an end, an error.
bool TlsStream::look() noexcept {
    char byte;
    std::size_t got = 0;
    return take({&byte, 1}, got, true) != error::would_block;
}

/// Reading may have got what a write waits for.
void TlsStream::bytes_taken() noexcept {
    if (blocked_ != Blocked::until_bytes) return;
    blocked_ = Blocked::no;
    if (writer_ != nullptr) loop_.complete_later(*std::exchange(writer_, nullptr), {});
}

void TlsStream::start_read(std::span<char> into, IoHandler& handler) {
    if (fd_ < 0) return loop_.complete_later(handler, {0, error::bad_descriptor});
    into_ = into;
    if (IoResult result; read(result)) return loop_.complete_later(handler, result);
    reader_ = &handler;
}

void TlsStream::start_wait_readable(IoHandler& handler) {
    if (fd_ < 0) return loop_.complete_later(handler, {0, error::bad_descriptor});
    into_ = {};
    if (look()) return loop_.complete_later(handler, {});
    reader_ = &handler;
}

bool TlsStream::quiet() noexcept {
    return fd_ >= 0 && !end_ && !failure_ && SSL_has_pending(ssl_) == 0 && nothing_received();
}

// ---- writing

IoResult TlsStream::try_write(std::span<const iovec> data) noexcept {
    if (fd_ < 0) return {0, error::bad_descriptor};
    if (failure_) return {0, failure_};
    if (shut_) return {0, error::broken_pipe};
    IoResult result;
    if (blocked_ != Blocked::no) return result;  // no event since: the answer would be the same
    std::array<char, record_bytes> joined;
    while (true) {
        const std::string_view record = next_record(data, result.bytes, joined);
        if (record.empty()) return result;
        std::size_t sent = 0;
        begin();
        if (SSL_write_ex(ssl_, record.data(), record.size(), &sent) == 1) {
            result.bytes += sent;
            half_ = false;
            continue;
        }
        const error_code failed = why_not();
        if (failed == error::would_block) {
            blocked_ = SSL_want_read(ssl_) ? Blocked::until_bytes : Blocked::until_room;
            half_ = true;
        } else if (result.bytes == 0) {
            result.error = failed;
        }
        return result;
    }
}

void TlsStream::start_wait_writable(IoHandler& handler) {
    if (fd_ < 0) return loop_.complete_later(handler, {0, error::bad_descriptor});
    if (blocked_ == Blocked::no) return loop_.complete_later(handler, {});
    writer_ = &handler;
}

// ---- ending

void TlsStream::shutdown_write() noexcept {
    if (fd_ < 0 || !shaken_ || shut_) return;
    shut_ = true;
    say_goodbye();
}

/// close_notify, then FIN; not yet if the way is full. Behind half of a record or of a message of
/// TLS itself OpenSSL takes close_notify for a mistake, after which reading would fail, too.
void TlsStream::say_goodbye() noexcept {
    begin();
    parting_ = true;
    const bool able = !half_ && !failure_ && !SSL_in_init(ssl_);
    if (able && SSL_shutdown(ssl_) < 0 && why_not() == error::would_block) return;
    notified_ = true;
    ::shutdown(fd_, SHUT_WR);
}

void TlsStream::close(bool reset) noexcept {
    if (fd_ < 0) return;
    if (!reset && shaken_ && !notified_ && !failure_) {
        begin();
        parting_ = true;
        SSL_shutdown(ssl_);
        ERR_clear_error();
    }
    SocketStream::close(reset);
}

std::unique_ptr<TlsStream> make_tls_stream(EventLoop& loop, const TlsClientContext& context,
                                           std::string_view server_name,
                                           std::shared_ptr<TlsSession> session) {
    return std::make_unique<TlsStream>(loop, context, server_name, std::move(session));
}

}  // namespace scrollgate
