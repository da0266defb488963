// TLS on both sides: listeners, pools, and what routes say about it.
#include <algorithm>

#include "config/sections/tables.hpp"

namespace scrollgate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_certificates = 10'000;

std::string wrong_file(const std::string& text) {
    if (text.empty()) return "an empty file name";
    return {};
}

/// A file that need not be given.
Codec<std::string> file(std::string example) {
    return unless_empty(text("file", std::move(example), wrong_file));
}

std::string wrong_server_name(const std::string& name) {
    const auto parsed = parse_host_port(name);
    if (!parsed || parsed->host != name)
        return fmt::format("{} is not a host; write a name such as app.example", quoted(name));
    return {};
}

/// curl's and HPKP's form: sha256// and 32 bytes in base64.
std::string wrong_pin(const std::string& pin) {
    const auto is_base64 = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '+' || c == '/';
    };
    constexpr std::string_view prefix = "sha256//";
    const bool good = pin.size() == prefix.size() + 44 && pin.starts_with(prefix) &&
                      pin.ends_with('=') &&
                      std::all_of(pin.begin() + prefix.size(), pin.end() - 1, is_base64);
    if (good) return {};
    return fmt::format(
        "{} is not a pinned key; write sha256// and the digest in base64, as "
        "openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl "
        "dgst -sha256 -binary | base64 gives it",
        quoted(pin));
}

const Table<TlsCertificateFiles>& certificate_table() {
    using T = TlsCertificateFiles;
    static const Table<T> table = {
        required(key("cert", &T::cert, text("file", "site.crt", wrong_file),
                     "PEM: the server's own certificate first, then those that lead to a root")),
        required(key("key", &T::key, text("file", "site.key", wrong_file),
                     "PEM: its private key, without a passphrase")),
        key("ocsp", &T::ocsp, file("site.ocsp"), "DER: an OCSP answer to staple", "none"),
    };
    return table;
}

Codec<std::vector<TlsCertificateFiles>> certificates() {
    using Certificates = std::vector<TlsCertificateFiles>;
    Codec<Certificates> codec =
        list(section(certificate_table(), "{ cert: site.crt, key: site.key }"),
             "[ { cert: site.crt, key: site.key } ]");
    codec.type = "list of certificates";
    return bounded(std::move(codec), most_certificates, "certificates",
                   [](Reader& reader, const Value& value, const Certificates&) {
                       if (value.is_sequence() && value.items.empty())
                           reader.error(value, "at least one certificate is needed");
                   });
}

}  // namespace

const Table<TlsServerOptions>& listener_tls_table() {
    using T = TlsServerOptions;
    static const Table<T> table = {
        required(key("certificates", &T::certificates, certificates(),
                     "picked by the name that the client asks for; the first is the default; of "
                     "several kinds (RSA, EC) for one name, what the client can use")),
        key("min_version", &T::min_version,
            choice<T::Version>({{"1.2", T::Version::tls12}, {"1.3", T::Version::tls13}}),
            "oldest version of TLS"),
        key("profile", &T::profile,
            choice<T::Profile>(
                {{"intermediate", T::Profile::intermediate}, {"modern", T::Profile::modern}}),
            "Mozilla's recommendations: modern is TLS 1.3 alone"),
        key("client_ca", &T::client_ca, file("clients.crt"),
            "PEM: clients are asked for a certificate that one of these has signed; its subject "
            "goes on as X-Client-Cert-Subject",
            "none"),
        key("client_auth", &T::client_auth,
            choice<T::ClientAuth>(
                {{"required", T::ClientAuth::required}, {"optional", T::ClientAuth::optional}}),
            "with client_ca: whether a client may have no certificate"),
        key("ticket_keys", &T::ticket_keys, file("tickets.key"),
            "80 random bytes per key, the one that seals first, the same on all nodes; none: made "
            "here and changed every 12h",
            "none"),
        key("alpn", &T::alpn,
            list(choice<std::string>({{"h2", "h2"}, {"http/1.1", "http/1.1"}}), "[ h2, http/1.1 ]"),
            "protocols to agree on, the most wanted first", "[ h2, http/1.1 ]"),
    };
    return table;
}

const Table<PoolTls>& pool_tls_table() {
    using T = PoolTls;
    static const Table<T> table = {
        key("server_name", &T::server_name,
            unless_empty(text("host", "app.example", wrong_server_name)),
            "asked for (SNI) and verified", "the endpoint's name"),
        key("ca", &T::ca, text("system | file", "system", wrong_file),
            "who may have signed the certificate: those of the system, or of a PEM file"),
        key("verify", &T::verify, on_off(),
            "false: anybody may pretend to be the endpoint; never leave it so"),
        key("pin", &T::pin, unless_empty(text("sha256//…", "sha256//…", wrong_pin)),
            "digest of the endpoint's public key; then it does not matter who signed", "none"),
        key("cert", &T::cert, file("client.crt"), "PEM: what we show to endpoints that ask",
            "none"),
        key("key", &T::key, file("client.key"), "PEM: its key", "none"),
    };
    return table;
}

const Table<Hsts>& hsts_table() {
    static const Table<Hsts> table = {
        key("max_age", &Hsts::max_age, duration(0s, 365 * 24h, None::refused),
            "how long browsers use https alone; 0 takes it back"),
        key("include_subdomains", &Hsts::include_subdomains, on_off(), "for all names below, too"),
        key("preload", &Hsts::preload, on_off(), "consent to the lists built into browsers"),
    };
    return table;
}

Codec<std::uint16_t> https_redirect() {
    Codec<std::uint16_t> codec;
    codec.type = "off | on | port";
    codec.read = [](Reader& reader, const Value& value, std::uint16_t& into) {
        const auto given = reader.scalar(value, "on");
        if (!given) return;
        if (const auto number = parse_count(*given, 1, 65535); number.value) {
            into = static_cast<std::uint16_t>(*number.value);
        } else if (const auto on = parse_switch(*given); on.value || *given == "none") {
            into = on.value && *on.value ? 443 : 0;
        } else {
            reader.error(value, fmt::format("{} is neither on or off nor a port", quoted(*given)));
        }
    };
    codec.write = [](const std::uint16_t& port) {
        return make_scalar(port == 0 ? "off" : port == 443 ? "on" : fmt::format("{}", port));
    };
    return codec;
}

}  // namespace scrollgate::config
