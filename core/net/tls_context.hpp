// TlsClientContext: what all TLS connections of one client have in common, over OpenSSL's SSL_CTX:
// whom to trust, which protocols to offer.
//
// TLS 1.2 at least, no renegotiation (HTTP/2 forbids it, RFC 9113 9.2.1); a session goes on from an
// earlier one where the caller keeps a TlsSession for it. Built once at start-up or configuration,
// unchanged afterwards: any thread may make streams from it. A stream keeps what it needs of it, so
// the context may go before its streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;      // OpenSSL's SSL_CTX
struct ssl_session_st;  // OpenSSL's SSL_SESSION

namespace scrollgate {

struct TlsClientOptions {
    /// Whether the peer's certificate must lead to a trusted one and be for the server's name.
    bool verify = true;
    /// Certificates to trust, PEM; empty: those of the system.
    std::string ca_file{};
    /// Protocols to offer by ALPN, the most wanted first ("h2", "http/1.1"), 1 to 255 bytes each;
    /// empty: no ALPN.
    std::vector<std::string> alpn{};
    /// "sha256//" and the SHA-256 of the server's public key in base64: the certificate with that
    /// key is believed, and no other, whoever signed it. Empty: none.
    std::string pin{};
    /// What is shown to servers that ask for a certificate, PEM; empty: nothing.
    std::string cert{}, key{};
};

/// The latest session with one server under one context, to go on from (RFC 8446 2.2). One thread.
class TlsSession {
  public:
    TlsSession() = default;
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;
    ~TlsSession() { keep(nullptr); }
    /// Null if there is none.
    [[nodiscard]] ssl_session_st* latest() const noexcept { return latest_; }
    /// Owns `session` from now on.
    void keep(ssl_session_st* session) noexcept;

  private:
    ssl_session_st* latest_ = nullptr;
};

class TlsClientContext {
  public:
    /// Throws std::runtime_error with a sentence for people: an unreadable file, a key of another
    /// certificate, a protocol name that cannot be offered.
    explicit TlsClientContext(const TlsClientOptions& options = {});

    /// The certificate must be for the server's name. Not so with a pinned key.
    [[nodiscard]] bool verifies() const noexcept { return verifies_; }
    /// OpenSSL's own, for TlsStream and tests.
    [[nodiscard]] ssl_ctx_st* handle() const noexcept { return handle_.get(); }

  private:
    struct Free {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    std::unique_ptr<ssl_ctx_st, Free> handle_;
    std::unique_ptr<std::string> pin_;  ///< the digest alone, in base64; its address stays
    bool verifies_;
};

}  // namespace scrollgate
