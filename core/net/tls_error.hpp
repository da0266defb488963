// TlsError: what TLS adds to the ways in which a stream can fail, as error codes.
//
// One category for all of them, so that the code alone tells the whole story: message() is the
// sentence for a log or a terminal ("certificate verify failed: self-signed certificate"). Besides
// the enumerators below, a code may hold a verdict on a certificate or a reason of OpenSSL's own.
#pragma once

#include <boost/system/error_code.hpp>

namespace scrollgate {

enum class TlsError {
    truncated = 1,        ///< FIN without close_notify: whoever cut it, it is no end of a message
    closed_in_handshake,  ///< FIN before the handshake was complete
    not_tls,              ///< what the peer says is no TLS
    no_protocol,          ///< the peer agrees to none of those that ALPN offered
    flood,                ///< KeyUpdate, ClientHello and the like without end, and no data
    bad_name,             ///< no name, or an impossible one, to verify the certificate against
};

/// Any thread.
[[nodiscard]] const boost::system::error_category& tls_category() noexcept;
[[nodiscard]] inline boost::system::error_code make_error_code(TlsError error) noexcept {
    return {static_cast<int>(error), tls_category()};
}
/// Whether `error` says that the peer's certificate was not believed. Any thread.
[[nodiscard]] bool is_certificate_error(const boost::system::error_code& error) noexcept;
/// The oldest entry of this thread's OpenSSL error queue, which is emptied, as a code: not_tls or
/// no_protocol where they fit. `verdict` (SSL_get_verify_result()) tells why a certificate was
/// refused, if one was.
[[nodiscard]] boost::system::error_code take_tls_error(long verdict = 0) noexcept;

}  // namespace scrollgate

template <>
struct boost::system::is_error_code_enum<scrollgate::TlsError> : std::true_type {};
