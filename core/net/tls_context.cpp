#include "core/net/tls_context.hpp"

#include <stdexcept>
#include <string_view>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "core/net/tls_error.hpp"
#include "core/net/tls_handles.hpp"
#include "core/net/tls_stream.hpp"

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
    } else {
        // Who is listed is trusted, a root or not.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
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

/// SHA-256 of the certificate's public key (SubjectPublicKeyInfo), in base64.
std::string digest_of_key(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0) return {};
    unsigned char digest[32];
    EVP_Digest(der, static_cast<std::size_t>(size), digest, nullptr, EVP_sha256(), nullptr);
    OPENSSL_free(der);
    char text[48];
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text), digest, sizeof digest);
    return {text, static_cast<std::size_t>(length)};
}

/// Instead of looking at who signed: the pinned key, or none.
int has_pinned_key(X509_STORE_CTX* chain, void* pin) {
    X509* const shown = X509_STORE_CTX_get0_cert(chain);
    if (shown != nullptr && digest_of_key(shown) == *static_cast<const std::string*>(pin)) {
        X509_STORE_CTX_set_error(chain, X509_V_OK);
        return 1;
    }
    X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_REJECTED);
    return 0;
}

void show(SSL_CTX* context, const std::string& cert, const std::string& key) {
    if (cert.empty()) return;
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, tls::no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    if (SSL_CTX_use_certificate_chain_file(context, cert.c_str()) != 1)
        refuse("certificate '" + cert + "'");
    const bool good = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
    if (good) return;
    if (asked) throw std::runtime_error("key '" + key + "' " + tls::passphrase_remedy);
    refuse("key '" + key + "'");
}

}  // namespace

void TlsSession::keep(ssl_session_st* session) noexcept {
    if (latest_ != nullptr) SSL_SESSION_free(latest_);
    latest_ = session;
}

void TlsClientContext::Free::operator()(ssl_ctx_st* context) const noexcept {
    SSL_CTX_free(context);
}

TlsClientContext::TlsClientContext(const TlsClientOptions& options)
    : verifies_(options.verify && options.pin.empty()) {
    ERR_clear_error();
    handle_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = handle_.get();
    if (context == nullptr) refuse("OpenSSL");
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) refuse("TLS 1.2");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, TlsStream::new_session);
    // A record's header and its body come by one system call, and an idle connection has no
    // buffers.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    const bool looks = verifies_ || !options.pin.empty();
    SSL_CTX_set_verify(context, looks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (verifies_) trust(context, options.ca_file);
    if (!options.pin.empty()) {
        const std::size_t prefix = std::string_view("sha256//").size();
        pin_ = std::make_unique<std::string>(options.pin.substr(prefix));
        SSL_CTX_set_cert_verify_callback(context, has_pinned_key, pin_.get());
    }
    show(context, options.cert, options.key);
    offer(context, options.alpn);
}

}  // namespace scrollgate
