// What OpenSSL asks a TlsServerContext during a handshake: which certificate, protocol, ticket key
// and OCSP answer. Only for core/net.
#pragma once

#include <openssl/ssl.h>

#include "core/net/tls_server.hpp"

namespace scrollgate {

struct TlsServerCallbacks {
    /// Makes `context`, one of `of`'s, ask `of`, which must outlive it.
    static void install(SSL_CTX* context, const TlsServerContext& of);

  private:
    static const TlsServerContext& of(SSL* ssl) noexcept;
    static int name(SSL* ssl, int* alert, void*);
    static int protocol(SSL* ssl, const unsigned char** out, unsigned char* size,
                        const unsigned char* offered, unsigned offered_size, void*);
    static int ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int sealing);
    static int staple(SSL* ssl, void*);
};

}  // namespace scrollgate
