// Certificates and keys in files, for tests of what reads them.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <openssl/pem.h>

#include "core/net/tls_certificate.hpp"
#include "tests/unit/core/net/tls_line.hpp"

namespace scrollgate::test {

/// A folder of files that goes with its owner.
struct Folder {
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const std::string& name, const std::string& bytes) const {
        std::ofstream(path + "/" + name, std::ios::binary) << bytes;
        return path + "/" + name;
    }
    std::string path = "/tmp/scrollgate-tls-XXXXXX";
};

template <class Write>
std::string pem(Write write) {
    BIO* const bio = BIO_new(BIO_s_mem());
    write(bio);
    const char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string made(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return made;
}
inline std::string pem_of(const Identity& one) {
    return pem([&](BIO* bio) { PEM_write_bio_X509(bio, one.certificate.get()); });
}
inline std::string key_of(const Identity& one) {
    return pem([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, one.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

/// Files of `one` with its chain.
inline TlsCertificateFiles files(const Folder& folder, const std::string& name,
                                 const Identity& one) {
    return {folder.write(name + ".crt", pem_of(one) + pem_of(authority())),
            folder.write(name + ".key", key_of(one)), ""};
}

}  // namespace scrollgate::test
