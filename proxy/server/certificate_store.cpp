#include "proxy/server/certificate_store.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/stat.h>

#include "config/url.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate {
namespace {

std::vector<std::string> files_of(const TlsServerOptions& tls) {
    std::vector<std::string> files{tls.client_ca, tls.ticket_keys};
    for (const TlsCertificateFiles& each : tls.certificates)
        files.insert(files.end(), {each.cert, each.key, each.ocsp});
    std::erase(files, "");
    return files;
}

/// Changes when one of the files does: another file of that name, another size, a later change.
std::string fingerprint(const TlsServerOptions& tls) {
    std::string all;
    for (const std::string& file : files_of(tls)) {
        struct stat facts {};
        if (::stat(file.c_str(), &facts) != 0) {
            all += "-;";
            continue;
        }
        all += fmt::format("{}.{}.{}.{};", facts.st_ino, facts.st_size, facts.st_mtim.tv_sec,
                           facts.st_mtim.tv_nsec);
    }
    return all;
}

bool is_error(const TlsFinding& finding) {
    return !finding.warning;
}

}  // namespace

CertificateStore::CertificateStore(const Clock& clock, Alarm& alarm, std::function<void()> changed)
    : clock_(clock),
      alarm_(alarm),
      changed_(std::move(changed)),
      tickets_(TlsTicketKeys::made(nullptr)),
      rotated_(clock.now()) {}

CertificateStore::Contexts CertificateStore::load(
    const std::vector<config::Listener>& listeners) const {
    Contexts made;
    std::string wrong;
    for (const config::Listener& listener : listeners) {
        std::vector<TlsFinding> findings;
        Loaded& one = made.emplace_back();
        if (listener.tls) {
            one.files = fingerprint(*listener.tls);
            one.context = TlsServerContext::make(*listener.tls, tickets_, clock_.wall(), findings);
        }
        for (const TlsFinding& finding : findings) {
            const std::string text =
                fmt::format("listener {}: tls.{}: {}", listener.name, finding.part, finding.text);
            if (is_error(finding))
                wrong += (wrong.empty() ? "" : "; ") + text;
            else
                log::warn("{}", text);
        }
    }
    if (!wrong.empty()) throw std::runtime_error(wrong);
    return made;
}

void CertificateStore::use(const std::vector<config::Listener>& listeners, Contexts contexts) {
    entries_.clear();
    for (std::size_t i = 0; i < listeners.size(); ++i) {
        Loaded& one = contexts[i];
        entries_.push_back({listeners[i], std::move(one.context), one.files, one.files});
    }
    set_alarm();
}

void CertificateStore::set_alarm() {
    const bool any = std::any_of(entries_.begin(), entries_.end(),
                                 [](const Entry& entry) { return entry.context != nullptr; });
    if (any)
        alarm_.set(limits::certificate_look, [this] { look(); });
    else
        alarm_.cancel();
}

void CertificateStore::look() {
    const bool rotate = clock_.now() - rotated_ >= limits::ticket_rotation;
    if (rotate) {
        tickets_ = TlsTicketKeys::made(tickets_.get());
        rotated_ = clock_.now();
    }
    bool other = false;
    for (Entry& entry : entries_) {
        if (!entry.context) continue;
        const std::string files = fingerprint(*entry.listener.tls);
        const bool rests = files == std::exchange(entry.seen, files);
        if (rests && files != entry.tried) {
            entry.tried = files;
            other |= reload(entry, "files have changed");
        } else if (rotate && entry.listener.tls->ticket_keys.empty()) {
            other |= reload(entry, "new ticket keys");
        }
    }
    set_alarm();
    if (other) changed_();
}

/// False, and the old one stays, if the files are not good.
bool CertificateStore::reload(Entry& entry, const char* why) {
    std::vector<TlsFinding> findings;
    auto next = TlsServerContext::make(*entry.listener.tls, tickets_, clock_.wall(), findings);
    for (const TlsFinding& one : findings)
        log::warn("listener {}: tls.{}: {}", entry.listener.name, one.part, one.text);
    if (!next) {
        log::error("listener {}: {}, but cannot be used: the old certificates stay",
                   entry.listener.name, why);
        return false;
    }
    entry.context = std::move(next);
    log::info("listener {}: {}: certificates loaded", entry.listener.name, why);
    return true;
}

std::vector<CertificateStatus> CertificateStore::status() const {
    std::vector<CertificateStatus> all;
    for (const Entry& entry : entries_) {
        if (!entry.context) continue;
        for (const auto& certificate : entry.context->certificates())
            all.push_back({entry.listener.name, certificate->files().cert, certificate->names(),
                           certificate->not_after(), certificate->days_left(clock_.wall())});
    }
    return all;
}

PoolContexts pool_contexts(const std::vector<config::Pool>& pools) {
    PoolContexts made;
    for (const config::Pool& pool : pools) {
        const auto over_tls = [](const config::Endpoint& endpoint) { return endpoint.tls; };
        if (std::none_of(pool.endpoints.begin(), pool.endpoints.end(), over_tls) &&
            std::none_of(pool.standby.begin(), pool.standby.end(), over_tls))
            continue;
        const config::PoolTls tls = pool.tls.value_or(config::PoolTls{});
        try {
            using Protocol = config::Pool::Protocol;
            const bool choice = pool.protocol == Protocol::automatic;
            std::vector<std::string> alpn{pool.protocol == Protocol::h2 ? "h2" : "http/1.1"};
            const auto http1 = std::make_shared<const TlsClientContext>(tls.client(alpn));
            if (choice) alpn.insert(alpn.begin(), "h2");
            made[pool.name].context =
                choice ? std::make_shared<const TlsClientContext>(tls.client(alpn)) : http1;
            if (choice) made[pool.name].http1 = http1;
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(fmt::format("pool {}: tls: {}", pool.name, error.what()));
        }
        if (!tls.verify && tls.pin.empty())
            log::warn(
                "pool {}: tls.verify is false: ANYBODY on the way can pretend to be its endpoints "
                "and read all traffic; use a pin or an own ca instead",
                pool.name);
    }
    return made;
}

namespace {

/// Contexts are shared by those that need the same: each holds a copy of the CAs.
struct TargetsBeingMade {
    ProbeTargets made{};
    std::map<std::string, std::shared_ptr<const TlsClientContext>> contexts{};

    /// Of a Dependency or Webhook that is over TLS.
    template <class Remote>
    void add(const config::Pool& pool, const Remote& remote, std::string_view key, bool http) {
        const config::PoolTls& tls = *remote.tls;
        const std::string shown =
            fmt::format("pool {}: {} {}", pool.name, key, config::without_query(remote.url));
        std::vector<std::string> alpn;
        if (http) alpn.emplace_back("http/1.1");
        auto& context = contexts[fmt::format("{}\n{}\n{}\n{}\n{}\n{}", tls.ca, tls.verify, tls.pin,
                                             tls.cert, tls.key, http)];
        try {
            if (!context) context = std::make_shared<const TlsClientContext>(tls.client(alpn));
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(fmt::format("{}: tls: {}", shown, error.what()));
        }
        made[{pool.name, remote.url}] = std::make_shared<const TlsTarget>(
            TlsTarget{context, tls.server_name.empty() ? remote.host : tls.server_name});
        if (!tls.verify && tls.pin.empty())
            log::warn("{}: tls.verify is false: ANYBODY on the way can pretend to be it", shown);
    }
};

}  // namespace

ProbeTargets probe_targets(const std::vector<config::Pool>& pools) {
    TargetsBeingMade all;
    for (const config::Pool& pool : pools) {
        for (const config::Dependency& one : pool.depends_on)
            if (one.tls)
                all.add(pool, one, "depends_on", one.kind == config::Dependency::Kind::http);
        if (pool.webhook && pool.webhook->tls) all.add(pool, *pool.webhook, "webhook", true);
    }
    return std::move(all.made);
}

}  // namespace scrollgate
