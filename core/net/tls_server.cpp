#include "core/net/tls_server.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "core/field.hpp"
#include "core/net/tls_error.hpp"
#include "core/net/tls_handles.hpp"
#include "core/net/tls_server_callbacks.hpp"

namespace scrollgate {
namespace {

constexpr const char* ciphers_of_tls12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* groups = "X25519:P-256:P-384";

std::string lower(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return made;
}

/// "a.b.example" -> "*.b.example"; empty if there is no label to replace.
std::string wildcard_of(std::string_view name) {
    const std::size_t dot = name.find('.');
    return dot == name.npos || dot == 0 ? std::string() : "*" + std::string(name.substr(dot));
}

}  // namespace

/// The steps of make().
struct TlsServerContext::Building {
    TlsServerContext& into;
    const TlsServerOptions& options;
    std::vector<TlsFinding>& findings;
    std::string client_ca{};

    void error(std::string part, std::string text) {
        findings.push_back({std::move(part), std::move(text)});
    }

    bool certificates(WallTime now) {
        for (std::size_t i = 0; i < options.certificates.size(); ++i) {
            std::vector<TlsFinding> found;
            into.certificates_.push_back(TlsCertificate::load(options.certificates[i], now, found));
            for (TlsFinding& each : found) {
                each.part = fmt::format("certificates[{}].{}", i, each.part);
                findings.push_back(std::move(each));
            }
        }
        const auto& all = into.certificates_;
        return !all.empty() && std::find(all.begin(), all.end(), nullptr) == all.end();
    }

    /// The first certificate of each kind that has `name` among its names, or else a wildcard that
    /// covers it.
    std::vector<std::size_t> named(std::string_view name) const {
        std::vector<std::size_t> chosen;
        add_named(name, chosen);
        add_named(wildcard_of(name), chosen);
        std::sort(chosen.begin(), chosen.end());
        return chosen;
    }

    void add_named(std::string_view name, std::vector<std::size_t>& chosen) const {
        const auto& all = into.certificates_;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::vector<std::string>& names = all[i]->names();
            if (std::find(names.begin(), names.end(), name) == names.end()) continue;
            const bool taken = std::any_of(chosen.begin(), chosen.end(), [&](std::size_t other) {
                return all[other]->kind() == all[i]->kind();
            });
            if (!taken) chosen.push_back(i);
        }
    }

    std::size_t site_for(const std::vector<std::size_t>& chosen) {
        const auto found =
            std::find_if(into.sites_.begin(), into.sites_.end(),
                         [&](const Site& site) { return site.certificates == chosen; });
        if (found != into.sites_.end())
            return static_cast<std::size_t>(found - into.sites_.begin());
        into.sites_.push_back({chosen, nullptr});
        return into.sites_.size() - 1;
    }

    void sites() {
        const TlsCertificate& first = *into.certificates_.front();
        static_cast<void>(site_for(first.names().empty() ? std::vector<std::size_t>{0}
                                                         : named(first.names().front())));
        for (const std::shared_ptr<const TlsCertificate>& certificate : into.certificates_)
            for (const std::string& name : certificate->names())
                if (!into.by_name_.contains(name)) into.by_name_[name] = site_for(named(name));
    }

    void tell_unused() {
        for (std::size_t i = 0; i < into.certificates_.size(); ++i) {
            const bool used = std::any_of(into.sites_.begin(), into.sites_.end(), [&](auto& site) {
                const std::vector<std::size_t>& shown = site.certificates;
                return std::find(shown.begin(), shown.end(), i) != shown.end();
            });
            if (!used)
                findings.push_back(
                    {fmt::format("certificates[{}].cert", i),
                     fmt::format("'{}' is never shown: {}", into.certificates_[i]->files().cert,
                                 into.certificates_[i]->names().empty()
                                     ? "it has no names"
                                     : "others before it have its names, and a key "
                                       "of the same kind"),
                     true});
        }
    }

    void alpn() {
        for (const std::string& protocol : options.alpn) {
            into.alpn_ += static_cast<char>(protocol.size());
            into.alpn_ += protocol;
        }
    }

    bool tickets(std::shared_ptr<const TlsTicketKeys> own_keys) {
        into.tickets_ = options.ticket_keys.empty()
                            ? std::move(own_keys)
                            : TlsTicketKeys::load(options.ticket_keys, findings);
        return into.tickets_ != nullptr;
    }

    bool contexts() {
        return std::all_of(into.sites_.begin(), into.sites_.end(),
                           [&](Site& site) { return context(site); });
    }

    bool context(Site& site) {
        ERR_clear_error();
        SSL_CTX* const made = SSL_CTX_new(TLS_server_method());
        site.context = made;
        if (made == nullptr) return error("", take_tls_error().message()), false;
        settings(made);
        TlsServerCallbacks::install(made, into);
        return show(made, site) && ask_clients(made);
    }

    void settings(SSL_CTX* made) const {
        const bool only13 = options.min_version == TlsServerOptions::Version::tls13 ||
                            options.profile == TlsServerOptions::Profile::modern;
        SSL_CTX_set_min_proto_version(made, only13 ? TLS1_3_VERSION : TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(made, ciphers_of_tls12);
        SSL_CTX_set1_groups_list(made, groups);
        SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(made, 1);
        SSL_CTX_set_read_ahead(made, 1);
        SSL_CTX_set_mode(made, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    }

    bool show(SSL_CTX* made, const Site& site) {
        for (const std::size_t i : site.certificates) {
            const TlsCertificate& one = *into.certificates_[i];
            bool good = SSL_CTX_use_certificate(made, one.leaf()) == 1 &&
                        SSL_CTX_use_PrivateKey(made, one.key()) == 1;
            for (std::size_t k = 1; good && k < one.chain().size(); ++k)
                good = SSL_CTX_add1_chain_cert(made, one.chain()[k]) == 1;
            if (good) continue;
            error(fmt::format("certificates[{}].cert", i),
                  fmt::format("'{}': {}", one.files().cert, take_tls_error().message()));
            return false;
        }
        return true;
    }

    bool clients() {
        if (options.client_ca.empty()) return true;
        client_ca = read_tls_file(options.client_ca, "client_ca", findings);
        return !client_ca.empty();
    }

    // A ticket is good only where the same clients are asked for the same thing.
    bool ask_clients(SSL_CTX* made) {
        std::string policy = "none";
        if (!options.client_ca.empty()) {
            if (!trust(made, client_ca)) return false;
            const bool required = options.client_auth == TlsServerOptions::ClientAuth::required;
            SSL_CTX_set_verify(
                made, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
            policy = (required ? "required" : "optional") + client_ca;
        }
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        EVP_Digest(policy.data(), policy.size(), digest, &size, EVP_sha256(), nullptr);
        return SSL_CTX_set_session_id_context(made, digest, size) == 1;
    }

    bool trust(SSL_CTX* made, const std::string& pem) {
        const tls::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
        X509_STORE* const store = SSL_CTX_get_cert_store(made);
        // Who is listed is trusted, a root or not.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(made), X509_V_FLAG_PARTIAL_CHAIN);
        std::size_t count = 0;
        while (const tls::Cert one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
            X509_STORE_add_cert(store, one.get());
            SSL_CTX_add_client_CA(made, one.get());
            ++count;
        }
        ERR_clear_error();
        if (count == 0)
            error("client_ca", fmt::format("'{}' holds no certificate in PEM", options.client_ca));
        return count != 0;
    }
};

std::shared_ptr<const TlsServerContext> TlsServerContext::make(
    const TlsServerOptions& options, std::shared_ptr<const TlsTicketKeys> own_keys, WallTime now,
    std::vector<TlsFinding>& findings) {
    const std::shared_ptr<TlsServerContext> made(new TlsServerContext);
    Building building{*made, options, findings};
    const bool certificates = building.certificates(now);
    const bool tickets = building.tickets(std::move(own_keys));
    const bool clients = building.clients();
    if (!certificates || !tickets || !clients) return nullptr;
    building.alpn();
    building.sites();
    building.tell_unused();
    if (!building.contexts()) return nullptr;
    return made;
}

TlsServerContext::~TlsServerContext() {
    for (const Site& site : sites_)
        SSL_CTX_free(site.context);
}

const TlsServerContext::Site& TlsServerContext::site_of(std::string_view server_name) const {
    if (server_name.ends_with('.')) server_name.remove_suffix(1);
    const std::string name = lower(server_name);
    auto found = by_name_.find(name);
    if (found == by_name_.end()) found = by_name_.find(wildcard_of(name));
    return found != by_name_.end() ? sites_[found->second] : sites_.front();
}

bool TlsServerContext::serves(std::string_view server_name, std::string_view host) const {
    if (server_name.ends_with('.')) server_name.remove_suffix(1);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (equal_no_case(server_name, host)) return true;
    const Site& site = site_of(server_name);
    return std::any_of(site.certificates.begin(), site.certificates.end(),
                       [&](std::size_t i) { return certificates_[i]->covers(host); });
}

}  // namespace scrollgate
