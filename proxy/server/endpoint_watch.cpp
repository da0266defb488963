#include "proxy/server/endpoint_watch.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/log.hpp"

namespace scrollgate {
namespace {

using namespace std::chrono_literals;

constexpr Duration shortest_ttl = 5s;
constexpr Duration longest_ttl = 5min;
constexpr Duration first_retry = 5s;
constexpr Duration last_retry = 60s;

Duration retry_after(unsigned failures) {
    return failures > 4 ? last_retry : std::min(last_retry, first_retry * (1U << (failures - 1)));
}

bool is_literal(const config::Endpoint& endpoint) {
    return SocketAddress::from_ip(endpoint.host, 0).has_value();
}

/// Names are compared without case (RFC 4343).
std::string key_of(const config::Endpoint& endpoint) {
    std::string key = endpoint.host;
    for (char& c : key)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return key;
}

bool uses(const config::Pool& pool, const std::string& host) {
    return std::any_of(pool.endpoints.begin(), pool.endpoints.end(),
                       [&](const config::Endpoint& endpoint) { return key_of(endpoint) == host; });
}

bool same(const Endpoint& a, const Endpoint& b) {
    return a.address == b.address && a.name == b.name && a.port == b.port && a.weight == b.weight &&
           a.zone == b.zone && a.provider == b.provider && a.region == b.region &&
           a.limits.connections == b.limits.connections &&
           a.limits.in_flight == b.limits.in_flight && a.limits.pending == b.limits.pending;
}

std::string in_words(const std::vector<SocketAddress>& addresses) {
    constexpr std::size_t shown = 8;
    if (addresses.empty()) return "nothing";
    std::string text;
    for (std::size_t i = 0; i < std::min(shown, addresses.size()); ++i) {
        text += (i == 0 ? "" : ", ") + addresses[i].ip();
    }
    if (addresses.size() > shown) text += fmt::format(" and {} more", addresses.size() - shown);
    return text;
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

void EndpointWatch::update(const config::Config& config) {
    updating_ = true;
    pools_ = config.pools;
    std::set<std::string> wanted, pools;
    for (const config::Pool& pool : pools_) {
        pools.insert(pool.name);
        for (const config::Endpoint& endpoint : pool.endpoints) {
            if (!is_literal(endpoint)) wanted.insert(key_of(endpoint));
        }
    }
    std::erase_if(names_, [&](const auto& name) { return !wanted.contains(name.first); });
    std::erase_if(sets_, [&](const auto& set) { return !pools.contains(set.first); });
    for (const std::string& host : wanted)
        names_.try_emplace(host, Name{.due = clock_.now()});
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
    if (answer.addresses.empty()) {
        name.due = clock_.now() + retry_after(++name.failures);
        if (name.failures == 1) {
            log::warn("pool {}: {} does not resolve: {}; keeping {}", pools_with(host), host,
                      answer.error, in_words(name.addresses));
        }
        set_alarm();
        return;
    }
    name.failures = 0;
    const Duration ttl = answer.ttl ? Duration(*answer.ttl) : longest_ttl;
    name.due = clock_.now() + std::clamp(ttl, shortest_ttl, longest_ttl);
    std::vector<SocketAddress> addresses = answer.addresses;
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

void EndpointWatch::set_alarm() {
    if (updating_) return;
    TimePoint next = never;
    for (const auto& [host, name] : names_) {
        if (!name.asking) next = std::min(next, name.due);
    }
    if (next == never) {
        alarm_.cancel();
        return;
    }
    alarm_.set(std::max(Duration::zero(), next - clock_.now()), [this] {
        ask_due();
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

std::vector<SocketAddress> EndpointWatch::addresses_of(const config::Endpoint& endpoint) const {
    if (const auto literal = SocketAddress::from_ip(endpoint.host, endpoint.port)) {
        return {*literal};
    }
    std::vector<SocketAddress> addresses;
    for (const SocketAddress& known : names_.at(key_of(endpoint)).addresses) {
        addresses.push_back(*SocketAddress::from_ip(known.ip(), endpoint.port));
    }
    return addresses;
}

/// Makes the pool's set anew; false (and the old one stays) if it is the same in every respect.
/// An address that several entries lead to belongs to the first of them.
bool EndpointWatch::rebuild(const config::Pool& pool) {
    std::shared_ptr<const EndpointSet>& current = sets_[pool.name];
    const EndpointSet before = current ? *current : EndpointSet{};
    auto set = std::make_shared<EndpointSet>();
    std::set<std::string> taken;
    for (const config::Endpoint& configured : pool.endpoints) {
        for (const SocketAddress& address : addresses_of(configured)) {
            std::string text = address.text();
            if (!taken.insert(text).second) continue;
            auto made = std::make_shared<const Endpoint>(Endpoint{
                pool.name, pool.provider, pool.region, configured.zone, configured.host,
                configured.port, address, std::move(text), configured.weight, false, pool.limits,
                registry_.state_of(pool.name, address), registry_.state_of(pool.name)});
            const auto old = std::find_if(before.begin(), before.end(),
                                          [&](const auto& known) { return same(*known, *made); });
            set->push_back(old != before.end() ? *old : std::move(made));
        }
    }
    if (current && *current == *set) return false;
    current = std::move(set);
    return true;
}

}  // namespace scrollgate
