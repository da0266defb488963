#include "core/net/tls_server_callbacks.hpp"

#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/tls1.h>

#include "core/clock.hpp"

namespace scrollgate {

void TlsServerCallbacks::install(SSL_CTX* context, const TlsServerContext& of) {
    SSL_CTX_set_app_data(context, const_cast<TlsServerContext*>(&of));
    SSL_CTX_set_tlsext_servername_callback(context, name);
    if (!of.alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, protocol, nullptr);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket);
    SSL_CTX_set_tlsext_status_cb(context, staple);
}

const TlsServerContext& TlsServerCallbacks::of(SSL* ssl) noexcept {
    return *static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// An unknown name gets the default certificate: the client judges it, and a request for another
// host than the certificate's is answered with 421.
int TlsServerCallbacks::name(SSL* ssl, int*, void*) {
    const char* const wanted = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (wanted == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const TlsServerContext& self = of(ssl);
    SSL_CTX* const shown = self.site_of(wanted).context;
    if (shown != SSL_get_SSL_CTX(ssl)) SSL_set_SSL_CTX(ssl, shown);
    return SSL_TLSEXT_ERR_OK;
}

// RFC 7301 3.2: who offers only what is not spoken here is told so.
int TlsServerCallbacks::protocol(SSL* ssl, const unsigned char** out, unsigned char* size,
                                 const unsigned char* offered, unsigned offered_size, void*) {
    const std::string& ours = of(ssl).alpn_;
    for (std::size_t at = 0; at < ours.size(); at += 1 + static_cast<unsigned char>(ours[at])) {
        const auto length = static_cast<unsigned char>(ours[at]);
        for (unsigned from = 0; from < offered_size; from += 1U + offered[from]) {
            if (offered[from] != length || from + 1 + length > offered_size) continue;
            if (std::memcmp(offered + from + 1, ours.data() + at + 1, length) != 0) continue;
            *out = offered + from + 1;
            *size = length;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// 0: unknown key, a full handshake follows; 1: good; 2: good, and a new ticket is due.
int TlsServerCallbacks::ticket(SSL* ssl, unsigned char* name, unsigned char* iv,
                               EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int sealing) {
    static EVP_CIPHER* const aes = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
    const TlsTicketKeys& keys = *of(ssl).tickets_;
    const TlsTicketKeys::Key* const key = sealing != 0 ? &keys.sealing() : keys.find(name);
    if (key == nullptr) return 0;
    if (sealing != 0) {
        std::memcpy(name, key->name.data(), key->name.size());
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1) return -1;
    }
    if (EVP_CipherInit_ex2(cipher, aes, key->cipher.data(), iv, sealing, nullptr) != 1) return -1;
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(
            OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key->mac.data()), key->mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
    if (sealing != 0) return 1;
    // Clients use a ticket of TLS 1.3 once (RFC 8446 C.4), and need another one.
    return key != &keys.sealing() || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

int TlsServerCallbacks::staple(SSL* ssl, void*) {
    const X509* const shown = SSL_get_certificate(ssl);
    for (const std::shared_ptr<const TlsCertificate>& certificate : of(ssl).certificates_) {
        if (certificate->leaf() != shown) continue;
        const std::string_view answer = certificate->staple(system_clock().wall());
        if (answer.empty()) break;
        void* const copy = OPENSSL_memdup(answer.data(), answer.size());  // OpenSSL frees it
        if (copy == nullptr) break;
        SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(answer.size()));
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace scrollgate
