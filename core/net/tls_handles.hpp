// OpenSSL's objects with owners. Only for the rooms of TLS: nobody else includes OpenSSL.
#pragma once

#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace scrollgate::tls {

template <auto free>
struct Free {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;

/// OpenSSL's pem_password_cb: no passphrase is known here, and nobody is asked for one at a
/// terminal. That one is needed is left in `asked`, a bool, or null.
inline int no_passphrase(char*, int, int, void* asked) {
    if (asked != nullptr) *static_cast<bool*>(asked) = true;
    return -1;
}
/// What is said of a key that needs one.
inline constexpr const char* passphrase_remedy =
    "has a passphrase; write it without one: openssl pkey -in … -out …";

}  // namespace scrollgate::tls
