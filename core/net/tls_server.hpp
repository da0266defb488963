// TlsServerContext: what all TLS connections of one listener have in common: certificates by name,
// protocols, ciphers, ticket keys, whom to ask for a certificate.
//
// Built on the control thread and immutable: a change of any file makes a new one, and connections
// keep theirs. Any thread may accept with it.
//
// Versions and ciphers follow Mozilla's recommendations: `intermediate` is TLS 1.2 with forward
// secrecy and AEAD only, and TLS 1.3; `modern` is TLS 1.3. No compression, no renegotiation, no
// early data; tickets are the only memory of a session.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/tls_certificate.hpp"
#include "core/net/tls_tickets.hpp"

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace scrollgate {

struct TlsServerOptions {
    enum class Version : std::uint8_t { tls12, tls13 };
    enum class Profile : std::uint8_t { intermediate, modern };
    enum class ClientAuth : std::uint8_t { required, optional };

    /// At least one. The first is the default, for names that no other covers.
    std::vector<TlsCertificateFiles> certificates;
    Version min_version = Version::tls12;
    Profile profile = Profile::intermediate;
    std::string client_ca;  ///< PEM; empty: no client is asked for a certificate
    ClientAuth client_auth = ClientAuth::required;
    std::string ticket_keys;  ///< file of TlsTicketKeys; empty: keys of this process
    std::vector<std::string> alpn{"h2", "http/1.1"};  ///< the most wanted first

    friend bool operator==(const TlsServerOptions&, const TlsServerOptions&) = default;
};

class TlsServerContext {
  public:
    /// Null, and findings that are no warnings, if something cannot be used. Findings' parts are
    /// keys below `tls`: "certificates[0].key". `own_keys` are for listeners without a file.
    [[nodiscard]] static std::shared_ptr<const TlsServerContext> make(
        const TlsServerOptions& options, std::shared_ptr<const TlsTicketKeys> own_keys,
        WallTime now, std::vector<TlsFinding>& findings);
    ~TlsServerContext();
    TlsServerContext(const TlsServerContext&) = delete;
    TlsServerContext& operator=(const TlsServerContext&) = delete;

    /// Whether a connection that was asked for as `server_name` (SNI) may carry requests for
    /// `host` (RFC 9110 15.5.20): the same name, or one that the certificate is for, too.
    [[nodiscard]] bool serves(std::string_view server_name, std::string_view host) const;
    /// In the order of the options.
    [[nodiscard]] const std::vector<std::shared_ptr<const TlsCertificate>>& certificates()
        const noexcept {
        return certificates_;
    }

    /// OpenSSL's own, for TlsStream. The context must outlive what is made from it.
    [[nodiscard]] ssl_ctx_st* handle() const noexcept { return sites_.front().context; }

  private:
    friend struct TlsServerCallbacks;
    /// Certificates of different kinds for the same name, and what shows them.
    struct Site {
        std::vector<std::size_t> certificates;  ///< sorted indices
        ssl_ctx_st* context = nullptr;          ///< owned
    };
    struct Building;
    TlsServerContext() = default;

    [[nodiscard]] const Site& site_of(std::string_view server_name) const;

    std::vector<std::shared_ptr<const TlsCertificate>> certificates_;
    std::vector<Site> sites_;                                  ///< the default first
    std::map<std::string, std::size_t, std::less<>> by_name_;  ///< "a.example", "*.example"
    std::shared_ptr<const TlsTicketKeys> tickets_;
    std::string alpn_;  ///< as on the wire
};

}  // namespace scrollgate
