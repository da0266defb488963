// TlsClientContext: what all TLS connections of one client have in common, over OpenSSL's SSL_CTX:
// whom to trust, which protocols to offer.
//
// TLS 1.2 at least, no renegotiation (HTTP/2 forbids it, RFC 9113 9.2.1), no resumption. Built once
// at start-up or configuration, unchanged afterwards: any thread may make streams from it. A stream
// keeps what it needs of it, so the context may go before its streams.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace scrollgate {

struct TlsClientOptions {
    /// Whether the peer's certificate must lead to a trusted one and be for the server's name.
    bool verify = true;
    /// Certificates to trust, PEM; empty: those of the system.
    std::string ca_file{};
    /// Protocols to offer by ALPN, the most wanted first ("h2", "http/1.1"), 1 to 255 bytes each;
    /// empty: no ALPN.
    std::vector<std::string> alpn{};
};

class TlsClientContext {
  public:
    /// Throws std::runtime_error with a sentence for people: an unreadable CA file, a protocol
    /// name that cannot be offered.
    explicit TlsClientContext(const TlsClientOptions& options = {});

    [[nodiscard]] bool verifies() const noexcept { return verifies_; }
    /// OpenSSL's own, for TlsStream and tests.
    [[nodiscard]] ssl_ctx_st* handle() const noexcept { return handle_.get(); }

  private:
    struct Free {
        void operator()(ssl_ctx_st* context) const noexcept;
    };
    std::unique_ptr<ssl_ctx_st, Free> handle_;
    bool verifies_;
};

}  // namespace scrollgate
