#include "core/net/tls_certificate.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "core/limits.hpp"
#include "core/net/address.hpp"
#include "core/net/tls_error.hpp"
#include "core/net/tls_handles.hpp"

namespace scrollgate {
namespace {

using namespace std::chrono;

/// The answer about `id` is about this certificate: its number, of its issuer's.
bool is_of(const OCSP_CERTID* id, X509* certificate) {
    ASN1_INTEGER* serial = nullptr;
    ASN1_OCTET_STRING* name = nullptr;
    ASN1_OBJECT* digest = nullptr;
    OCSP_id_get0_info(&name, &digest, nullptr, &serial, const_cast<OCSP_CERTID*>(id));
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) != 0) return false;
    const EVP_MD* const kind = EVP_get_digestbyobj(digest);
    unsigned char own[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (kind == nullptr ||
        X509_NAME_digest(X509_get_issuer_name(certificate), kind, own, &size) != 1)
        return false;
    const std::string_view theirs(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name)),
                                  static_cast<std::size_t>(ASN1_STRING_length(name)));
    return theirs == std::string_view(reinterpret_cast<const char*>(own), size);
}

WallTime time_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
    return WallTime(duration_cast<WallTime::duration>(seconds(::timegm(&parts))));
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string text_of(const ASN1_STRING* from) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(from)),
            static_cast<std::size_t>(ASN1_STRING_length(from))};
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
    const unsigned char* const raw = ASN1_STRING_get0_data(bytes);
    if (ASN1_STRING_length(bytes) == 4) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, raw, 4);
        return SocketAddress(reinterpret_cast<const sockaddr*>(&v4), sizeof v4).ip();
    }
    if (ASN1_STRING_length(bytes) != 16) return {};
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    std::memcpy(&v6.sin6_addr, raw, 16);
    return SocketAddress(reinterpret_cast<const sockaddr*>(&v6), sizeof v6).ip();
}

std::vector<std::string> names_of(X509* certificate) {
    std::vector<std::string> names;
    auto* const all = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; all != nullptr && i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* const name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS) names.push_back(lower(text_of(name->d.dNSName)));
        if (name->type == GEN_IPADD) names.push_back(address_text(name->d.iPAddress));
    }
    GENERAL_NAMES_free(all);
    if (!names.empty()) return names;
    const X509_NAME* const subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0)
        names.push_back(lower(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))));
    return names;
}

bool matches(std::string_view name, std::string_view host) {
    if (!name.starts_with("*.")) return name == host;
    const std::size_t dot = host.find('.');
    return dot != 0 && dot != host.npos && host.substr(dot) == name.substr(1);
}

}  // namespace

std::string read_tls_file(const std::string& path, const std::string& part,
                          std::vector<TlsFinding>& findings) {
    std::string bytes;
    const auto wrong = [&](const std::string& why) {
        findings.push_back({part, fmt::format("'{}': {}", path, why)});
        return std::string();
    };
    std::FILE* const file = std::fopen(path.c_str(), "rbe");
    if (file == nullptr) return wrong(std::strerror(errno));
    char buffer[4096];
    std::size_t got;
    while ((got = std::fread(buffer, 1, sizeof buffer, file)) > 0 &&
           bytes.size() <= limits::tls_file)
        bytes.append(buffer, got);
    const int failed = std::ferror(file) != 0 ? errno : 0;
    std::fclose(file);
    if (failed != 0) return wrong(std::strerror(failed));
    if (bytes.size() > limits::tls_file) return wrong("is larger than 1 MiB");
    if (bytes.empty()) return wrong("is empty");
    return bytes;
}

/// The steps of load(), with what they have found.
struct TlsCertificate::Loading {
    TlsCertificate& into;
    WallTime now;
    std::vector<TlsFinding>& findings;

    void error(const char* part, const std::string& file, const std::string& text) {
        findings.push_back({part, fmt::format("'{}' {}", file, text)});
    }
    void warn(const char* part, const std::string& file, const std::string& text) {
        findings.push_back({part, fmt::format("'{}' {}", file, text), true});
    }

    bool chain() {
        const std::string& file = into.files_.cert;
        const std::string bytes = read_tls_file(file, "cert", findings);
        if (bytes.empty()) return false;
        const tls::Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
        ERR_clear_error();
        while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
            into.chain_.push_back(one);
        const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        if (into.chain_.empty() || !at_end) {
            error("cert", file, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)");
            return false;
        }
        return true;
    }

    bool key() {
        const std::string& file = into.files_.key;
        const std::string bytes = read_tls_file(file, "key", findings);
        if (bytes.empty()) return false;
        const tls::Bio bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
        bool asked = false;
        into.key_ = PEM_read_bio_PrivateKey(bio.get(), nullptr, tls::no_passphrase, &asked);
        ERR_clear_error();
        if (into.key_ == nullptr) {
            error("key", file,
                  asked ? tls::passphrase_remedy
                        : "holds no private key in PEM (-----BEGIN PRIVATE KEY-----)");
            return false;
        }
        if (EVP_PKEY_is_a(into.key_, "RSA") == 1)
            into.kind_ = "RSA";
        else if (EVP_PKEY_is_a(into.key_, "EC") == 1)
            into.kind_ = "EC";
        else
            into.kind_ = EVP_PKEY_get0_type_name(into.key_);
        return true;
    }

    bool in_order() {
        const std::string& file = into.files_.cert;
        const std::vector<X509*>& all = into.chain_;
        const auto ours = std::find_if(all.begin(), all.end(), [&](X509* one) {
            return X509_check_private_key(one, into.key_) == 1;
        });
        ERR_clear_error();
        if (ours == all.end()) {
            error("key", into.files_.key, fmt::format("is not the key of '{}'", file));
            return false;
        }
        if (ours != all.begin()) {
            error("cert", file,
                  fmt::format("is out of order: the server's own certificate comes first, and here "
                              "it is number {}",
                              ours - all.begin() + 1));
            return false;
        }
        for (std::size_t i = 1; i < all.size(); ++i) {
            if (X509_check_issued(all[i], all[i - 1]) == X509_V_OK) continue;
            error("cert", file,
                  fmt::format("is out of order: certificate {} is not the issuer of certificate {}",
                              i + 1, i));
            return false;
        }
        return true;
    }

    void validity() {
        into.not_after_ = time_of(X509_get0_notAfter(into.leaf()));
        const std::string& file = into.files_.cert;
        const long days = into.days_left(now);
        if (into.not_after_ <= now)
            warn("cert", file, fmt::format("has expired ({} days ago)", -1 - days));
        else if (time_of(X509_get0_notBefore(into.leaf())) > now)
            warn("cert", file, "is not valid yet; is the clock right?");
        else if (days < limits::certificate_days)
            warn("cert", file, fmt::format("expires in {} days", days));
        if (into.names_.empty()) warn("cert", file, "is for no host: it has neither names nor CN");
    }

    void ocsp() {
        const std::string& file = into.files_.ocsp;
        if (file.empty()) return;
        std::string bytes = read_tls_file(file, "ocsp", findings);
        if (bytes.empty()) return;
        const auto* raw = reinterpret_cast<const unsigned char*>(bytes.data());
        OCSP_RESPONSE* const answer =
            d2i_OCSP_RESPONSE(nullptr, &raw, static_cast<long>(bytes.size()));
        OCSP_BASICRESP* const basic =
            answer != nullptr ? OCSP_response_get1_basic(answer) : nullptr;
        const bool good =
            basic != nullptr && OCSP_response_status(answer) == OCSP_RESPONSE_STATUS_SUCCESSFUL;
        if (!good)
            error("ocsp", file, "holds no successful OCSP answer in DER");
        else
            staple(std::move(bytes), basic);
        OCSP_BASICRESP_free(basic);
        OCSP_RESPONSE_free(answer);
        ERR_clear_error();
    }

    void staple(std::string&& bytes, OCSP_BASICRESP* basic) {
        const std::string& file = into.files_.ocsp;
        for (int i = 0; i < OCSP_resp_count(basic); ++i) {
            OCSP_SINGLERESP* const one = OCSP_resp_get0(basic, i);
            if (!is_of(OCSP_SINGLERESP_get0_id(one), into.leaf())) continue;
            ASN1_GENERALIZEDTIME* next = nullptr;
            const int status = OCSP_single_get0_status(one, nullptr, nullptr, nullptr, &next);
            if (status == V_OCSP_CERTSTATUS_REVOKED)
                warn("ocsp", file, fmt::format("says that '{}' is revoked", into.files_.cert));
            into.staple_until_ = next != nullptr ? time_of(next) : WallTime::max();
            if (into.staple_until_ <= now) warn("ocsp", file, "is too old to be stapled");
            into.staple_ = std::move(bytes);
            return;
        }
        warn("ocsp", file,
             fmt::format("is for another certificate than '{}' and is not stapled",
                         into.files_.cert));
    }
};

std::shared_ptr<const TlsCertificate> TlsCertificate::load(const TlsCertificateFiles& files,
                                                           WallTime now,
                                                           std::vector<TlsFinding>& findings) {
    const std::shared_ptr<TlsCertificate> made(new TlsCertificate);
    made->files_ = files;
    Loading loading{*made, now, findings};
    const bool chain = loading.chain();
    const bool key = loading.key();
    if (!chain || !key || !loading.in_order()) return nullptr;
    made->names_ = names_of(made->leaf());
    loading.validity();
    const std::size_t before = findings.size();
    loading.ocsp();
    const bool refused = std::any_of(findings.begin() + static_cast<std::ptrdiff_t>(before),
                                     findings.end(), [](const auto& f) { return !f.warning; });
    if (refused) return nullptr;
    return made;
}

TlsCertificate::~TlsCertificate() {
    for (X509* const one : chain_)
        X509_free(one);
    EVP_PKEY_free(key_);
}

bool TlsCertificate::covers(std::string_view host) const {
    if (host.ends_with('.')) host.remove_suffix(1);
    const std::string wanted = lower(std::string(host));
    return std::any_of(names_.begin(), names_.end(),
                       [&](const std::string& name) { return matches(name, wanted); });
}

long TlsCertificate::days_left(WallTime now) const noexcept {
    return static_cast<long>(floor<days>(not_after_ - now).count());
}

std::string_view TlsCertificate::staple(WallTime now) const noexcept {
    return now < staple_until_ ? std::string_view(staple_) : std::string_view();
}

}  // namespace scrollgate
