#include "core/net/tls_error.hpp"

#include <cerrno>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace scrollgate {
namespace {

// A code's number is an enumerator, or a verdict above `verdicts`, or an entry of OpenSSL's queue,
// whose library stands in the bits from 23 on.
constexpr int verdicts = 1'000;
constexpr int verdicts_end = 2'000;

/// A reason above this is an alert that the peer has sent.
constexpr int alerts = SSL_AD_REASON_OFFSET;

/// SSL_alert_desc_string_long() of OpenSSL 3.0 does not know
/// the alerts that came with TLS 1.3; their reasons hold the names ("tlsv13 alert missing
/// extension").
std::string_view alert_name(int alert, std::string_view reason) {
    const std::string_view name = SSL_alert_desc_string_long(alert);
    const std::size_t at = reason.find(" alert ");
    if (name != "unknown" || at == std::string_view::npos) return name;
    return reason.substr(at + 7);
}

std::string sentence_of(unsigned long entry) {
    const char* const text = ERR_reason_error_string(entry);
    const std::string_view reason = text != nullptr ? text : "unknown error";
    const int number = ERR_GET_REASON(entry);
    if (ERR_GET_LIB(entry) != ERR_LIB_SSL || number < alerts) return fmt::format("TLS: {}", reason);
    return fmt::format("the peer sent the TLS alert '{}'", alert_name(number - alerts, reason));
}

class TlsCategory final : public boost::system::error_category {
  public:
    const char* name() const noexcept override { return "tls"; }
    std::string message(int number) const override {
        switch (static_cast<TlsError>(number)) {
            case TlsError::truncated:
                return "the connection ended without the close that TLS demands";
            case TlsError::closed_in_handshake:
                return "the peer closed the connection during the TLS handshake";
            case TlsError::not_tls:
                return "the peer speaks no TLS";
            case TlsError::no_protocol:
                return "the peer agrees to none of the protocols offered";
            case TlsError::flood:
                return "the peer sends messages of TLS itself without end, and no data";
            case TlsError::bad_name:
                return "no usable name to verify the peer's certificate against";
        }
        if (is_certificate_error({number, *this})) {
            return std::string("certificate verify failed: ") +
                   X509_verify_cert_error_string(number - verdicts);
        }
        return sentence_of(static_cast<unsigned long>(number));
    }
};

}  // namespace

const boost::system::error_category& tls_category() noexcept {
    static const TlsCategory category;
    return category;
}

bool is_certificate_error(const boost::system::error_code& error) noexcept {
    return error.category() == tls_category() && error.value() >= verdicts &&
           error.value() < verdicts_end;
}

boost::system::error_code take_tls_error(long verdict) noexcept {
    const unsigned long entry = ERR_peek_error();
    ERR_clear_error();
    const int reason = ERR_GET_REASON(entry);
    if (entry == 0) return {EPROTO, boost::system::system_category()};
    if (ERR_SYSTEM_ERROR(entry)) return {reason, boost::system::system_category()};
    if (ERR_GET_LIB(entry) == ERR_LIB_SSL) {
        if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST)
            return TlsError::not_tls;
        if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) return TlsError::no_protocol;
        if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK)
            return {verdicts + static_cast<int>(verdict), tls_category()};
    }
    return {static_cast<int>(entry), tls_category()};
}

}  // namespace scrollgate
