#include "proxy/server/endpoint_watch.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate {
namespace {

/// The pause after so many failures in a row.
Duration retry_after(unsigned failures, const config::Dns& dns) {
    const Duration most =
        std::max<Duration>(dns.min_ttl, std::min<Duration>(dns.max_ttl, limits::dns_retry_max));
    Duration pause = dns.min_ttl;
    for (unsigned i = 1; i < failures && pause < most; ++i)
        pause *= 2;
    return std::min(pause, most);
}

bool is_literal(const config::Endpoint& endpoint) {
    return SocketAddress::from_ip(endpoint.host, 0).has_value();
}

/// Names are compared without case (RFC 4343).
std::string lower(std::string name) {
    for (char& c : name)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return name;
}

bool uses(const config::Pool& pool, const std::string& host) {
    const auto is_it = [&](const config::Endpoint& endpoint) {
        return lower(endpoint.host) == host;
    };
    return std::any_of(pool.endpoints.begin(), pool.endpoints.end(), is_it) ||
           std::any_of(pool.standby.begin(), pool.standby.end(), is_it);
}

bool same(const Endpoint& a, const Endpoint& b) {
    return a.address == b.address && a.name == b.name && a.port == b.port && a.weight == b.weight &&
           a.standby == b.standby && a.zone == b.zone && a.provider == b.provider &&
           a.region == b.region && a.limits == b.limits && a.tls == b.tls &&
           a.proxy_protocol == b.proxy_protocol && a.protocol == b.protocol;
}

std::string in_words(const std::vector<std::string>& all) {
    constexpr std::size_t shown = 8;
    if (all.empty()) return "nothing";
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, all.size()); ++i)
        text += (i == 0 ? "" : ", ") + all[i];
    if (all.size() > shown) text += fmt::format(" and {} more", all.size() - shown);
    return text;
}

std::string in_words(const std::vector<SocketAddress>& addresses) {
    std::vector<std::string> texts;
    for (const SocketAddress& address : addresses)
        texts.push_back(address.ip());
    return in_words(texts);
}

std::string in_words(const EndpointSet& set) {
    std::vector<std::string> texts;
    for (const auto& endpoint : set)
        texts.push_back(endpoint->text);
    return in_words(texts);
}

/// Those of `before` whose address is not in `set`.
EndpointSet leaving(const EndpointSet& before, const EndpointSet& set) {
    std::set<std::string_view> stay;
    for (const auto& endpoint : set)
        stay.insert(endpoint->text);
    EndpointSet gone;
    for (const auto& endpoint : before)
        if (!stay.contains(endpoint->text)) gone.push_back(endpoint);
    return gone;
}

/// Do the checks agree with DNS that all of these are gone? Nobody misses what was drained or
/// scaled out, either; a game day says nothing of what is there.
bool gone(const EndpointSet& set) {
    return std::all_of(set.begin(), set.end(), [](const auto& endpoint) {
        const Standing standing = endpoint->state->standing.load(std::memory_order_relaxed);
        return out_by_verdict(standing) || standing == Standing::drained ||
               standing == Standing::standby;
    });
}

}  // namespace

EndpointWatch::EndpointWatch(Resolver& resolver, EndpointRegistry& registry, const Clock& clock,
                             Alarm& alarm, OnChange on_change)
    : resolver_(resolver),
      registry_(registry),
      clock_(clock),
      alarm_(alarm),
      on_change_(std::move(on_change)),
      alive_(std::make_shared<char>()) {}

EndpointWatch::~EndpointWatch() {
    alarm_.cancel();
}

void EndpointWatch::update(const config::Config& config, const PoolContexts& tls) {
    updating_ = true;
    contexts_ = tls;
    targets_.clear();
    const bool other_servers = config.dns.servers != dns_.servers;
    pools_ = config.pools;
    dns_ = config.dns;
    std::set<std::string> wanted, pools;
    for (const config::Pool& pool : pools_) {
        pools.insert(pool.name);
        for (const auto* list : {&pool.endpoints, &pool.standby})
            for (const config::Endpoint& endpoint : *list)
                if (!is_literal(endpoint)) wanted.insert(lower(endpoint.host));
    }
    std::erase_if(names_, [&](const auto& name) { return !wanted.contains(name.first); });
    std::erase_if(sets_, [&](const auto& set) { return !pools.contains(set.first); });
    std::erase_if(holds_, [&](const auto& held) { return !pools.contains(held.first); });
    const TimePoint now = clock_.now();
    for (auto& [host, name] : names_)
        name.due = other_servers ? now : std::min(name.due, now + dns_.max_ttl);
    for (const std::string& host : wanted)
        names_.try_emplace(host, Name{.due = now});
    ask_due();
    for (const config::Pool& pool : pools_)
        static_cast<void>(rebuild(pool));
    updating_ = false;
    set_alarm();
}

void EndpointWatch::ask_due() {
    for (auto& [host, name] : names_) {
        if (name.asking || name.due > clock_.now()) continue;
        name.asking = true;
        resolver_.resolve(
            host, 0,
            [this, alive = std::weak_ptr(alive_), asked = host](const Resolver::Answer& answer) {
                if (!alive.expired()) answered(asked, answer);
            });
    }
}

void EndpointWatch::answered(const std::string& host, const Resolver::Answer& answer) {
    const auto known = names_.find(host);
    if (known == names_.end()) return;  // a reload has dropped it meanwhile
    Name& name = known->second;
    name.asking = false;
    const Duration ttl = answer.ttl ? Duration(*answer.ttl) : dns_.max_ttl;
    name.due = clock_.now() + std::max(dns_.min_ttl, std::min(ttl, dns_.max_ttl));
    if (!answer.error.empty()) {
        failed(host, name, answer);
    } else if (std::exchange(name.failures, 0) > 0) {
        log::info("pool {}: {} resolves again", pools_with(host), host);
    }
    if (answer.addresses.empty()) return set_alarm();
    std::vector<SocketAddress> addresses = answer.addresses;
    std::ranges::copy_if(name.addresses, std::back_inserter(addresses),
                         [&](const auto& kept) { return kept.family() == answer.unknown; });
    std::sort(addresses.begin(), addresses.end(),
              [](const auto& a, const auto& b) { return a.text() < b.text(); });
    if (addresses != name.addresses) {
        log::info("pool {}: {} is now {} (was {})", pools_with(host), host, in_words(addresses),
                  in_words(name.addresses));
        name.addresses = std::move(addresses);
        for (const config::Pool& pool : pools_) {
            if (updating_ || !uses(pool, host) || !rebuild(pool)) continue;
            on_change_(pool.name, sets_[pool.name]);
        }
    }
    set_alarm();
}

/// Of the whole name, or of one family. The first failure of a row is told, with what stays in use.
void EndpointWatch::failed(const std::string& host, Name& name, const Resolver::Answer& answer) {
    const TimePoint again = clock_.now() + retry_after(++name.failures, dns_);
    const bool whole = answer.unknown == AF_UNSPEC;
    name.due = whole ? again : std::min(name.due, again);
    if (name.failures > 1) return;
    std::vector<SocketAddress> kept = name.addresses;
    if (!whole) std::erase_if(kept, [&](const auto& a) { return a.family() != answer.unknown; });
    const std::string what = whole ? host + " does not resolve"
                                   : fmt::format("IPv{} addresses of {} do not resolve",
                                                 answer.unknown == AF_INET ? 4 : 6, host);
    log::warn("pool {}: {}: {}; keeping {}", pools_with(host), what, answer.error, in_words(kept));
}

void EndpointWatch::look_at_holds() {
    for (const config::Pool& pool : pools_) {
        if (!holds_.contains(pool.name) || !rebuild(pool)) continue;
        on_change_(pool.name, sets_[pool.name]);
    }
}

void EndpointWatch::set_alarm() {
    if (updating_) return;
    TimePoint next = never;
    for (const auto& [host, name] : names_) {
        if (!name.asking) next = std::min(next, name.due);
    }
    for (const auto& [pool, held] : holds_)
        next = std::min({next, held.until, clock_.now() + limits::shrink_look});
    if (next == never) {
        alarm_.cancel();
        return;
    }
    alarm_.set(std::max(Duration::zero(), next - clock_.now()), [this] {
        ask_due();
        look_at_holds();
        set_alarm();
    });
}

std::string EndpointWatch::pools_with(const std::string& host) const {
    std::string text;
    for (const config::Pool& pool : pools_) {
        if (uses(pool, host)) text += (text.empty() ? "" : ", ") + pool.name;
    }
    return text;
}

std::vector<SocketAddress> EndpointWatch::addresses_of(const config::Endpoint& endpoint,
                                                       const Addresses* kept) const {
    if (const auto literal = SocketAddress::from_ip(endpoint.host, endpoint.port)) {
        return {*literal};
    }
    const std::string host = lower(endpoint.host);
    std::vector<SocketAddress> addresses;
    const auto add = [&](const std::vector<SocketAddress>& known) {
        for (const SocketAddress& address : known)
            addresses.push_back(*SocketAddress::from_ip(address.ip(), endpoint.port));
    };
    add(names_.at(host).addresses);
    if (kept == nullptr) return addresses;
    if (const auto held = kept->find(host); held != kept->end()) add(held->second);
    return addresses;
}

/// The pool's set as configured and resolved, with what is kept beside; what stays as it is
/// `before` is taken over. An address that several entries lead to belongs to the first of them.
EndpointSet EndpointWatch::made_of(const config::Pool& pool, const EndpointSet& before,
                                   const Addresses* kept) {
    EndpointSet set;
    std::set<std::string> taken;
    const auto add = [&](const config::Endpoint& configured, bool standby) {
        const Target target = target_of(pool, configured);
        for (const SocketAddress& address : addresses_of(configured, kept)) {
            std::string text = address.text();
            if (!taken.insert(text).second) continue;
            auto made = std::make_shared<const Endpoint>(Endpoint{
                pool.name, pool.provider, pool.region, configured.zone, configured.host,
                configured.port, address, std::move(text), configured.weight, standby, pool.limits,
                registry_.state_of(pool.name, address, standby), registry_.state_of(pool.name),
                target.tls, pool.proxy_protocol, pool.protocol, target.http1});
            const auto old = std::find_if(before.begin(), before.end(),
                                          [&](const auto& known) { return same(*known, *made); });
            set.push_back(old != before.end() ? *old : std::move(made));
        }
    };
    for (const config::Endpoint& endpoint : pool.endpoints)
        add(endpoint, false);
    for (const config::Endpoint& endpoint : pool.standby)
        add(endpoint, true);
    return set;
}

/// Who an https:// endpoint has to be: `tls.server_name`, else the Host that it is sent if that is
/// fixed, else its own name.
EndpointWatch::Target EndpointWatch::target_of(const config::Pool& pool,
                                               const config::Endpoint& endpoint) {
    const auto found = contexts_.find(pool.name);
    if (!endpoint.tls || found == contexts_.end()) return {};
    std::string name = pool.tls ? pool.tls->server_name : "";
    if (name.empty() && pool.host_mode == config::Pool::HostMode::literal)
        name = parse_host_port(pool.host_literal)->host;
    if (name.empty()) name = endpoint.host;
    const PoolContext& of = found->second;
    Target& target = targets_[{pool.name, name}];
    if (target.tls) return target;
    target.tls = std::make_shared<const TlsTarget>(TlsTarget{of.context, name});
    if (of.http1) target.http1 = std::make_shared<const TlsTarget>(TlsTarget{of.http1, name});
    return target;
}

/// Makes the pool's set anew; false (and the old one stays) if it is the same in every respect.
bool EndpointWatch::rebuild(const config::Pool& pool) {
    std::shared_ptr<const EndpointSet>& current = sets_[pool.name];
    const EndpointSet before = current ? *current : EndpointSet{};
    EndpointSet set = made_of(pool, before, nullptr);
    hold(pool, before, set);
    if (current && *current == set) return false;
    const bool moved = !leaving(before, set).empty() || !leaving(set, before).empty();
    if (updating_ && current && moved)
        log::info("pool {}: endpoints are now {} (were {})", pool.name, in_words(set),
                  in_words(before));
    current = std::make_shared<const EndpointSet>(std::move(set));
    return true;
}

EndpointWatch::Sizes EndpointWatch::Sizes::of(const EndpointSet& set) noexcept {
    const auto standby = std::ranges::count_if(set, [](const auto& one) { return one->standby; });
    return {set.size() - static_cast<std::size_t>(standby), static_cast<std::size_t>(standby)};
}

/// Puts back into `set` what would leave it, if that is too much at once.
void EndpointWatch::hold(const config::Pool& pool, const EndpointSet& before, EndpointSet& set) {
    const auto known = holds_.find(pool.name);
    const bool holding = known != holds_.end();
    const Sizes had = holding ? known->second.had : Sizes::of(before);
    const Sizes now = Sizes::of(set);
    EndpointSet away = leaving(before, set);
    std::erase_if(away, [&](const auto& one) { return !now.less_than_half(had, one->standby); });
    const bool too_few = !away.empty();
    const bool agreed = gone(away);
    const bool over = holding && clock_.now() >= known->second.until;
    if (!too_few || agreed || over || (updating_ && !holding)) {
        if (!holding) return;
        holds_.erase(known);
        log::info("pool {}: endpoints are now {} (were {}): {}", pool.name, in_words(set),
                  in_words(before),
                  !too_few ? "no more than half of them would leave now"
                  : agreed ? "health had taken out those that left"
                           : "those that left were held long enough");
        return;
    }
    if (!holding) {
        const auto seconds = std::chrono::seconds(limits::shrink_hold).count();
        log::warn(
            "pool {}: {} of {} endpoints would leave at once by DNS; held until health "
            "agrees, {} s at most: {}",
            pool.name, away.size(), had.active + had.standby, seconds, in_words(away));
    }
    Hold& held = holds_[pool.name];
    if (!holding) held = {clock_.now() + limits::shrink_hold, had, {}};
    held.kept.clear();
    for (const auto& endpoint : away)
        held.kept[lower(endpoint->name)].push_back(endpoint->address);
    set = made_of(pool, before, &held.kept);
}

}  // namespace scrollgate
