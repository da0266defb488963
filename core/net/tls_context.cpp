#include "core/net/tls_context.hpp"

#include <stdexcept>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/net/tls_error.hpp"

namespace scrollgate {
namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw std::runtime_error(what + ": " + take_tls_error().message());
}

void trust(SSL_CTX* context, const std::string& ca_file) {
    if (ca_file.empty()) {
        if (SSL_CTX_set_default_verify_paths(context) != 1) refuse("the system's CA certificates");
    } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
        refuse("CA file '" + ca_file + "'");
    }
}

// As on the wire: each name behind its length (RFC 7301 3.1).
void offer(SSL_CTX* context, const std::vector<std::string>& protocols) {
    std::string list;
    for (const std::string& protocol : protocols) {
        if (protocol.empty() || protocol.size() > 255)
            throw std::runtime_error("ALPN protocol '" + protocol + "': 1 to 255 bytes are needed");
        list += static_cast<char>(protocol.size());
        list += protocol;
    }
    if (list.empty()) return;
    // This one call returns 0 for success.
    if (SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                                static_cast<unsigned>(list.size())) != 0) {
        refuse("ALPN protocols");
    }
}

}  // namespace

void TlsClientContext::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

TlsClientContext::TlsClientContext(const TlsClientOptions& options) : verifies_(options.verify) {
    ERR_clear_error();
    handle_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = handle_.get();
    if (context == nullptr) refuse("OpenSSL");
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) refuse("TLS 1.2");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    // A record's header and its body come by one system call, and an idle connection has no
    // buffers.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_verify(context, verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (verifies_) trust(context, options.ca_file);
    offer(context, options.alpn);
}

}  // namespace scrollgate
