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
    if (tls.cert.empty() != tls.key.empty())
        error(path + (tls.cert.empty() ? ".key" : ".cert"), "cert and key belong together");
    if (!tls.verify && tls.pin.empty() && any)
        warning(path + ".verify",
                "false: anybody on the way can pretend to be an endpoint of this pool; use ca or "
                "pin");
}

void Validator::files() {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i)
        if (config_.listeners[i].tls)
            certificates(*config_.listeners[i].tls, fmt::format("listeners[{}].tls", i));
    for (const Pool& pool : config_.pools) {
        if (!pool.tls) continue;
        try {
            const TlsClientContext good(pool.tls->client());
        } catch (const std::runtime_error& wrong) {
            error("pools." + pool.name + ".tls", wrong.what());
        }
    }
    redis_files();
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
    for (Pool& pool : config.pools) {
        if (!pool.tls) continue;
        if (pool.tls->ca != "system") resolve(pool.tls->ca);
        resolve(pool.tls->cert);
        resolve(pool.tls->key);
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
