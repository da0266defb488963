// TlsCertificate: a server's certificate with its chain, its key and its OCSP answer, read from
// files and checked: what a listener shows, and what `check` looks at.
//
// Immutable once loaded; any thread. Files are read in one go, so that what was checked is what is
// used.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY
struct x509_st;      // OpenSSL's X509

namespace scrollgate {

/// Where one certificate is to be found.
struct TlsCertificateFiles {
    std::string cert;  ///< PEM: the server's own first, then those that lead to a root
    std::string key;   ///< PEM, without a passphrase
    std::string ocsp;  ///< DER, an OCSP answer to staple (RFC 6960); empty: none

    friend bool operator==(const TlsCertificateFiles&, const TlsCertificateFiles&) = default;
};

/// What is wrong with one file, or may soon be.
struct TlsFinding {
    std::string part;  ///< the key of the configuration that names the file: "key"
    std::string text;  ///< a sentence with the file's name
    bool warning = false;
};

/// The whole file, of 1 MiB at most; nothing, and a finding under `part`, if it cannot be had.
[[nodiscard]] std::string read_tls_file(const std::string& path, const std::string& part,
                                        std::vector<TlsFinding>& findings);

class TlsCertificate {
  public:
    /// Null, and at least one finding that is no warning, if it cannot be used: a file that is not
    /// there or holds something else, a key of another certificate, a chain that is out of order.
    /// Warnings: expired, not valid yet, less than 14 days left at `now`; an OCSP answer that is
    /// for another certificate or too old (it is not stapled then).
    [[nodiscard]] static std::shared_ptr<const TlsCertificate> load(
        const TlsCertificateFiles& files, WallTime now, std::vector<TlsFinding>& findings);
    ~TlsCertificate();
    TlsCertificate(const TlsCertificate&) = delete;
    TlsCertificate& operator=(const TlsCertificate&) = delete;

    /// Whether it is for this host, a DNS name or an IP literal without brackets, whatever its
    /// case (RFC 6125 6.4: "*" stands for the whole leftmost label).
    [[nodiscard]] bool covers(std::string_view host) const;
    /// Its DNS names and addresses, lower case; the common name if it has no others.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    /// "RSA", "EC": a client that cannot use one kind may be shown another.
    [[nodiscard]] const std::string& kind() const noexcept { return kind_; }
    [[nodiscard]] WallTime not_after() const noexcept { return not_after_; }
    /// Whole days until it expires, rounded down; negative afterwards.
    [[nodiscard]] long days_left(WallTime now) const noexcept;
    /// The OCSP answer to staple; empty if there is none, or none that is still good at `now`.
    [[nodiscard]] std::string_view staple(WallTime now) const noexcept;
    [[nodiscard]] const TlsCertificateFiles& files() const noexcept { return files_; }

    // OpenSSL's own, for the contexts.
    [[nodiscard]] x509_st* leaf() const noexcept { return chain_.front(); }
    [[nodiscard]] const std::vector<x509_st*>& chain() const noexcept { return chain_; }
    [[nodiscard]] evp_pkey_st* key() const noexcept { return key_; }

  private:
    struct Loading;
    TlsCertificate() = default;

    TlsCertificateFiles files_;
    std::vector<x509_st*> chain_;  ///< the leaf first; owned
    evp_pkey_st* key_ = nullptr;   ///< owned
    std::vector<std::string> names_;
    std::string kind_;
    WallTime not_after_{};
    std::string staple_;
    WallTime staple_until_{};
};

}  // namespace scrollgate
