// What only the whole file, and the files it names, can tell about TLS and PROXY headers.
#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "config/validate.hpp"
#include "core/clock.hpp"

namespace scrollgate::config {
namespace {

bool is_https(const Endpoint& endpoint) {
    return endpoint.tls;
}

/// An error, not only a warning, was found at or below `path`, or in the defaults that it is from.
bool wrong_in(Reader& reader, std::string_view path) {
    const auto below = [](std::string_view found, std::string_view above) {
        if (!found.starts_with(above)) return false;
        const std::string_view rest = found.substr(above.size());
        return rest.empty() || rest.front() == '.' || rest.front() == '[';
    };
    const bool lent = reader.from_defaults(std::string(path));
    const auto& all = reader.problems();
    return std::any_of(all.begin(), all.end(), [&](const Problem& one) {
        return one.severity == Problem::Severity::error &&
               (below(one.path, path) || (lent && below(one.path, "defaults")));
    });
}

}  // namespace

void Validator::listener_tls(const Listener& listener, const std::string& path) {
    if (listener.proxy_protocol && config_.trusted_proxies.empty())
        error(path + ".proxy_protocol",
              "nobody may send PROXY headers: set trusted_proxies, such as [ 10.0.0.0/8 ]");
    if (listener.tls && listener.https_redirect != 0)
        error(path + ".https_redirect", "this listener speaks https already");
    if (!listener.tls) return;
    const TlsServerOptions& tls = *listener.tls;
    if (tls.client_ca.empty() && reader_.present(path + ".tls.client_auth"))
        error(path + ".tls.client_auth", "needs client_ca: who may have signed the certificates");
    if (tls.alpn.empty()) error(path + ".tls.alpn", "at least one protocol is needed");
}

void Validator::pool_tls(const Pool& pool, const std::string& path) {
    if (!pool.tls) return;
    const PoolTls& tls = *pool.tls;
    const bool any = std::any_of(pool.endpoints.begin(), pool.endpoints.end(), is_https) ||
                     std::any_of(pool.standby.begin(), pool.standby.end(), is_https);
    if (!any && reader_.present(path) && !reader_.from_defaults(path) &&
        !reported("pools." + pool.name))
        warning(path, "says nothing: no endpoint of this pool is https://");
    client_tls(tls, path, any ? "an endpoint of this pool" : "");
}

/// Of what health asks and tells besides the endpoints.
void Validator::probes_tls(const Pool& pool, const std::string& path) {
    for (std::size_t i = 0; i < pool.depends_on.size(); ++i) {
        const Dependency& one = pool.depends_on[i];
        if (one.tls) client_tls(*one.tls, fmt::format("{}.depends_on[{}].tls", path, i), one.shown);
    }
    if (pool.webhook && pool.webhook->tls)
        client_tls(*pool.webhook->tls, path + ".webhook.tls", "the webhook");
}

/// `whose` is who could be pretended to be; empty: nobody is asked.
void Validator::client_tls(const PoolTls& tls, const std::string& path, std::string_view whose) {
    if (tls.cert.empty() != tls.key.empty())
        error(path + (tls.cert.empty() ? ".key" : ".cert"), "cert and key belong together");
    if (!tls.verify && tls.pin.empty() && !whose.empty())
        warning(
            path + ".verify",
            fmt::format("false: anybody on the way can pretend to be {}; use ca or pin", whose));
}

void Validator::pool_protocol(const Pool& pool, const std::string& path) {
    using Protocol = Pool::Protocol;
    if (pool.protocol == Protocol::http1) return;
    const auto each = [&](const std::vector<Endpoint>& all, const std::string& key) {
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::string at = fmt::format("{}.{}[{}]", path, key, i);
            if (pool.protocol == Protocol::h2 && !all[i].tls)
                error(at,
                      "protocol: h2 is HTTP/2 over TLS: write https://… here, or protocol: h2c "
                      "for HTTP/2 without TLS");
            if (pool.protocol == Protocol::h2c && all[i].tls)
                error(at,
                      "protocol: h2c is HTTP/2 without TLS: write protocol: h2 (or auto) for "
                      "https://");
        }
    };
    each(pool.endpoints, "endpoints");
    each(pool.standby, "standby");
    if (pool.proxy_protocol != Pool::ProxyProtocol::off)
        error(path + ".proxy_protocol",
              "needs protocol: http1: clients share the connections of HTTP/2, and a PROXY header "
              "names one of them");
}

// Whatever else is wrong with the file: only what is said of a section itself makes a look into its
// files pointless.
void Validator::files() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
        const std::string path = fmt::format("listeners[{}].tls", i);
        if (config_.listeners[i].tls && !wrong_in(reader_, path))
            certificates(*config_.listeners[i].tls, path);
    }
    for (const Pool& pool : config_.pools) {
        const std::string path = "pools." + pool.name;
        if (pool.tls) trust(*pool.tls, path + ".tls");
        for (std::size_t i = 0; i < pool.depends_on.size(); ++i)
            if (pool.depends_on[i].tls)
                trust(*pool.depends_on[i].tls, fmt::format("{}.depends_on[{}].tls", path, i));
        if (pool.webhook && pool.webhook->tls) trust(*pool.webhook->tls, path + ".webhook.tls");
    }
    if (!wrong_in(reader_, "cache")) redis_files();
}

void Validator::trust(const PoolTls& tls, const std::string& path) {
    if (wrong_in(reader_, path)) return;
    try {
        const TlsClientContext good(tls.client({}));
    } catch (const std::runtime_error& wrong) {
        error(path, wrong.what());
    }
}

void Validator::certificates(const TlsServerOptions& tls, const std::string& path) {
    std::vector<TlsFinding> findings;
    const auto made =
        TlsServerContext::make(tls, TlsTicketKeys::made(nullptr), system_clock().wall(), findings);
    for (const TlsFinding& one : findings) {
        const std::string at = one.part.empty() ? path : path + "." + one.part;
        one.warning ? warning(at, one.text) : error(at, one.text);
    }
}

void resolve_files(Config& config, const std::string& folder) {
    const auto resolve = [&](std::string& file) {
        if (!file.empty() && file.front() != '/') file = (std::filesystem::path(folder) / file);
    };
    for (Listener& listener : config.listeners) {
        if (!listener.tls) continue;
        resolve(listener.tls->client_ca);
        resolve(listener.tls->ticket_keys);
        for (TlsCertificateFiles& each : listener.tls->certificates) {
            resolve(each.cert);
            resolve(each.key);
            resolve(each.ocsp);
        }
    }
    const auto resolve_client = [&](std::optional<PoolTls>& tls) {
        if (!tls) return;
        if (tls->ca != "system") resolve(tls->ca);
        resolve(tls->cert);
        resolve(tls->key);
    };
    for (Pool& pool : config.pools) {
        resolve_client(pool.tls);
        for (Dependency& one : pool.depends_on)
            resolve_client(one.tls);
        if (pool.webhook) resolve_client(pool.webhook->tls);
    }
    if (config.cache.redis) {
        Redis& redis = *config.cache.redis;
        resolve(redis.password_file);
        if (redis.tls) {
            if (redis.tls->ca != "system") resolve(redis.tls->ca);
            resolve(redis.tls->cert);
            resolve(redis.tls->key);
        }
    }
}

}  // namespace scrollgate::config
