// The server's end of a TLS connection for tests, driven by hand, with certificates made on the
// spot. It keeps what it wants to send until pump(), or gives it to the test to cut into pieces.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/support/sockets.hpp"

namespace scrollgate::test {

template <class T, void (*free)(T*)>
struct OpensslDelete {
    void operator()(T* object) const noexcept { free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, OpensslDelete<X509, X509_free>>;
using ServerContext = std::unique_ptr<SSL_CTX, OpensslDelete<SSL_CTX, SSL_CTX_free>>;
using ServerSession = std::unique_ptr<SSL, OpensslDelete<SSL, SSL_free>>;

/// A P-256 key and a certificate for it, signed by `issuer`, or by itself.
struct Identity {
    explicit Identity(const char* name, const char* alternatives = nullptr,
                      const Identity* issuer = nullptr, long valid_for_s = 3600)
        : key(EVP_EC_gen("P-256")), certificate(X509_new()) {
        X509* const made = certificate.get();
        REQUIRE(key);
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), -7200);
        X509_gmtime_adj(X509_getm_notAfter(made), valid_for_s);
        X509_set_pubkey(made, key.get());
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
        const Identity& by = issuer != nullptr ? *issuer : *this;
        X509_set_issuer_name(made, X509_get_subject_name(by.certificate.get()));
        extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
        if (alternatives != nullptr) extend(NID_subject_alt_name, alternatives);
        REQUIRE(X509_sign(made, by.key.get(), EVP_sha256()) > 0);
    }

    void extend(int what, const char* value) const {
        X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, what, value);
        REQUIRE(made != nullptr);
        X509_add_ext(certificate.get(), made, -1);
        X509_EXTENSION_free(made);
    }

    Key key;
    Certificate certificate;
};

/// A PEM file with a certificate, gone at its end.
struct CertificateFile {
    explicit CertificateFile(const Identity& identity) {
        std::FILE* const file = ::fdopen(::mkstemp(path.data()), "w");
        REQUIRE(file != nullptr);
        PEM_write_X509(file, identity.certificate.get());
        std::fclose(file);
    }
    CertificateFile(const CertificateFile&) = delete;
    CertificateFile& operator=(const CertificateFile&) = delete;
    ~CertificateFile() { ::unlink(path.c_str()); }
    std::string path = "/tmp/scrollgate-ca-XXXXXX";
};

/// A context that shows `identity` and agrees to `alpn`, if the client offers it.
inline ServerContext server_context(const Identity& identity, const char* alpn = nullptr) {
    ServerContext made(SSL_CTX_new(TLS_server_method()));
    REQUIRE(SSL_CTX_use_certificate(made.get(), identity.certificate.get()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(made.get(), identity.key.get()) == 1);
    if (alpn == nullptr) return made;
    const auto choose = [](SSL*, const unsigned char** out, unsigned char* size,
                           const unsigned char* offered, unsigned offered_size, void* wanted) {
        const std::string_view name(static_cast<const char*>(wanted));
        const std::string_view all(reinterpret_cast<const char*>(offered), offered_size);
        for (std::size_t at = 0; at < all.size(); at += 1 + static_cast<unsigned char>(all[at])) {
            if (all.substr(at + 1, static_cast<unsigned char>(all[at])) != name) continue;
            *out = offered + at + 1;
            *size = static_cast<unsigned char>(name.size());
            return SSL_TLSEXT_ERR_OK;
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    };
    SSL_CTX_set_alpn_select_cb(made.get(), choose, const_cast<char*>(alpn));
    return made;
}

/// Owns the accepted socket. Everything between it and OpenSSL goes through memory.
struct TlsPeer {
    TlsPeer(SSL_CTX* context, int descriptor) : socket(descriptor), ssl(SSL_new(context)) {
        const int on = 1;  // what is sent is there for the next turn, not after an ACK
        ::setsockopt(socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(ssl.get());
        SSL_set_app_data(ssl.get(), this);
        SSL_set_msg_callback(ssl.get(), saw);
    }

    /// One turn: takes what has come (`most` bytes of it), handles it, sends what can go.
    void pump(std::size_t most = SIZE_MAX) {
        take(most);
        handle();
        send(output());
    }
    /// From the kernel into OpenSSL's hands.
    void take(std::size_t most = SIZE_MAX) {
        char buffer[1 << 14];
        while (most > 0) {
            const std::size_t room = std::min(most, sizeof buffer);
            const ssize_t got = ::recv(socket.fd, buffer, room, MSG_DONTWAIT);
            if (got == 0) fin = true;
            if (got <= 0) return;
            BIO_write(SSL_get_rbio(ssl.get()), buffer, static_cast<int>(got));
            most -= static_cast<std::size_t>(got);
        }
    }
    /// Goes on with the handshake, then reads; what was read gathers in `received`.
    void handle() {
        ERR_clear_error();
        if (!SSL_is_init_finished(ssl.get()) && SSL_do_handshake(ssl.get()) != 1) return;
        char buffer[1 << 14];
        std::size_t got = 0;
        while (SSL_read_ex(ssl.get(), buffer, sizeof buffer, &got) == 1)
            received.append(buffer, got);
        ended = ended || (SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    void write(std::string_view bytes) {
        std::size_t written = 0;
        ERR_clear_error();
        REQUIRE(SSL_write_ex(ssl.get(), bytes.data(), bytes.size(), &written) == 1);
        REQUIRE(written == bytes.size());
    }
    /// The ciphertext that waits to be sent, which is the caller's now.
    std::string output() {
        std::string bytes = std::exchange(unsent, {});
        char buffer[1 << 14];
        for (int got; (got = BIO_read(SSL_get_wbio(ssl.get()), buffer, sizeof buffer)) > 0;)
            bytes.append(buffer, static_cast<std::size_t>(got));
        return bytes;
    }
    /// What the kernel does not take stays for later.
    void send(std::string_view bytes) {
        const ssize_t sent = bytes.empty() ? 0
                                           : ::send(socket.fd, bytes.data(), bytes.size(),
                                                    MSG_NOSIGNAL | MSG_DONTWAIT);
        unsent.insert(0, bytes.substr(sent > 0 ? static_cast<std::size_t>(sent) : 0));
    }

    static void saw(int written, int, int type, const void* bytes, std::size_t size, SSL* of,
                    void*) {
        TlsPeer& self = *static_cast<TlsPeer*>(SSL_get_app_data(of));
        const bool handshake = type == SSL3_RT_HANDSHAKE && size > 0;
        if (written == 0 && handshake &&
            *static_cast<const unsigned char*>(bytes) == SSL3_MT_KEY_UPDATE)
            ++self.key_updates;
        if (written == 0 && type == SSL3_RT_HEADER &&
            *static_cast<const unsigned char*>(bytes) == SSL3_RT_APPLICATION_DATA)
            ++self.records;
    }

    Descriptor socket;
    ServerSession ssl;
    std::string received;
    std::string unsent;
    bool ended = false;   ///< close_notify has come
    bool fin = false;     ///< the other end's FIN has come
    int key_updates = 0;  ///< of the other end
    int records = 0;      ///< that look like application data
};

}  // namespace scrollgate::test
