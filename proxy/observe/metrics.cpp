#include "proxy/observe/metrics.hpp"

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/net/tls_stream.hpp"
#include "proxy/observe/exposition.hpp"
#include "proxy/observe/process_facts.hpp"
#include "proxy/observe/series.hpp"

namespace scrollgate {
namespace {

struct Shard {
    ConnectionGauges connections;
    CellTable<RouteCell> routes;
    CellTable<PoolCell> pools;
};

struct PoolName {
    std::string pool, provider, region;
    auto operator<=>(const PoolName&) const = default;
};

// Names by index, indexes by name.
template <class Name>
struct Names {
    std::vector<Name> by_index;
    std::map<Name, std::uint32_t> by_name;

    std::uint32_t index(Name name, std::uint32_t overflow) {
        const auto known = by_name.find(name);
        if (known != by_name.end()) return known->second;
        if (by_index.size() >= CellTable<RouteCell>::capacity) return overflow;
        const auto next = static_cast<std::uint32_t>(by_index.size());
        by_index.push_back(name);
        by_name.emplace(std::move(name), next);
        return next;
    }
};

// Where names beyond the capacity are counted.
constexpr std::uint32_t other_route = 1, other_pool = 0;

void count_attempts(RouteCell& cell, const ExchangeRecord& record) noexcept {
    if (record.attempts > record.hedges + 1) cell.retries.add(record.attempts - record.hedges - 1);
    if (record.hedges > 0) {
        cell.hedges_won.add(record.hedge_won ? 1 : 0);
        cell.hedges_lost.add(record.hedges - (record.hedge_won ? 1 : 0));
    }
}

constexpr std::array<const char*, cache_results> cache_result_names{"none", "hit", "stale", "miss",
                                                                    "pass"};

// What all workers have counted for a route.
struct RouteSum {
    std::map<std::string, std::uint64_t> codes;
    HistogramSum duration;
    std::uint64_t requests = 0, retries = 0, bytes_in = 0, bytes_out = 0;
    std::uint64_t hedges_won = 0, hedges_lost = 0;
    std::uint64_t fills = 0, fills_failed = 0;
    std::array<std::uint64_t, cache_results> cache{};
    std::array<std::uint64_t, grpc::statuses> grpc{};
};
using RouteSums = std::vector<std::pair<std::string, RouteSum>>;

void write_calls(Exposition& page, const RouteSums& sums) {
    page.counter("scrollgate_grpc_calls_total", "gRPC calls by route and by how they ended.");
    for (const auto& [route, sum] : sums) {
        for (std::size_t k = 0; k < grpc::statuses; ++k) {
            if (sum.grpc[k] == 0) continue;
            const std::string status(grpc::name(static_cast<grpc::Status>(k)));
            page.add({{"route", route}, {"status", status}}, sum.grpc[k]);
        }
    }
}

void write_cache(Exposition& page, const RouteSums& sums) {
    page.counter("scrollgate_cache_requests_total",
                 "Requests on routes with a cache, by what it did for them.");
    for (const auto& [route, sum] : sums) {
        for (std::size_t k = 1; k < cache_results; ++k) {
            if (sum.cache[k] == 0) continue;
            page.add({{"route", route}, {"result", cache_result_names[k]}}, sum.cache[k]);
        }
    }
    page.counter("scrollgate_cache_fills_total",
                 "Background exchanges that fill the cache, by whether they got an answer.");
    for (const auto& [route, sum] : sums) {
        if (sum.fills == 0) continue;
        page.add({{"route", route}, {"ok", "true"}}, sum.fills - sum.fills_failed);
        page.add({{"route", route}, {"ok", "false"}}, sum.fills_failed);
    }
}

std::string_view outcome_name(std::size_t index) noexcept {
    return index == 0 ? "ok" : facts(static_cast<ErrorKind>(index - 1)).reason;
}

}  // namespace

struct Metrics::Impl {
    explicit Impl(unsigned workers) {
        for (unsigned i = 0; i < workers; ++i)
            shards.push_back(std::make_unique<Shard>());
        routes.index("-", 0);
        routes.index("other", 0);
        pools.index({"other", "", ""}, 0);
    }

    // Calls visit(cell) for every worker that may have counted in this series.
    template <class Cell, class Visit>
    void each(CellTable<Cell> Shard::*table, std::size_t index, Visit visit) const {
        for (const auto& shard : shards) {
            const Cell* cell = (shard.get()->*table).find(index);
            if (cell != nullptr) visit(*cell);
        }
    }

    void write_routes(Exposition& page) const;
    void write_pools(Exposition& page) const;
    void write_connections(Exposition& page, const ConnectionTotals& totals) const;
    void write_process(Exposition& page) const;

    std::vector<std::unique_ptr<Shard>> shards;
    Names<std::string> routes;
    Names<PoolName> pools;
    std::uint64_t loads_ok = 0, loads_failed = 0;
    bool last_load_ok = true;
    double last_success = 0;  // seconds since the epoch
};

Metrics::Metrics(unsigned workers) : impl_(std::make_unique<Impl>(workers)) {}

Metrics::~Metrics() = default;

std::uint32_t Metrics::route_series(std::string_view name) {
    return impl_->routes.index(std::string(name), other_route);
}

std::uint32_t Metrics::pool_series(std::string_view pool, std::string_view provider,
                                   std::string_view region) {
    return impl_->pools.index({std::string(pool), std::string(provider), std::string(region)},
                              other_pool);
}

void Metrics::observe(unsigned worker, std::uint32_t route, const ExchangeRecord& record) noexcept {
    RouteCell* cell = impl_->shards[worker]->routes.at(route);
    if (cell == nullptr) return;
    count_attempts(*cell, record);
    if (record.kind == ExchangeRecord::Kind::fill) {
        cell->fills.add();
        // One that was called off, because nobody needed it any more, has not failed.
        const bool called_off = record.outcome == facts(ErrorKind::cancelled).reason;
        if (record.outcome != "ok" && !called_off) cell->fills_failed.add();
        return;
    }
    cell->requests.add();
    cell->cache[static_cast<std::size_t>(record.cache)].add();
    cell->cache_bytes[static_cast<std::size_t>(record.cache)].add(record.bytes_out);
    if (record.collapsed) cell->collapsed.add();
    cell->codes.add(record.status);
    if (record.grpc) cell->grpc[static_cast<std::size_t>(*record.grpc)].add();
    if (record.status != 101) cell->duration.add(record.ended - record.started);
    cell->bytes_in.add(record.bytes_in);
    cell->bytes_out.add(record.bytes_out);
}

void Metrics::attempt(unsigned worker, std::uint32_t pool, std::optional<ErrorKind> error,
                      Duration took) noexcept {
    PoolCell* cell = impl_->shards[worker]->pools.at(pool);
    if (cell == nullptr) return;
    cell->outcomes[error ? static_cast<std::size_t>(*error) + 1 : 0].add();
    cell->duration.add(took);
}

ConnectionGauges& Metrics::connections(unsigned worker) noexcept {
    return impl_->shards[worker]->connections;
}

void Metrics::config_loaded(bool ok, WallTime when) noexcept {
    ++(ok ? impl_->loads_ok : impl_->loads_failed);
    impl_->last_load_ok = ok;
    if (ok) impl_->last_success = std::chrono::duration<double>(when.time_since_epoch()).count();
}

RouteTotals Metrics::route_totals(std::uint32_t route) const noexcept {
    RouteTotals totals;
    impl_->each(&Shard::routes, route, [&](const RouteCell& cell) {
        totals.requests += cell.requests.get();
        totals.retries += cell.retries.get();
        totals.hedges += cell.hedges_won.get() + cell.hedges_lost.get();
        const auto cached = [&](CacheResult result) {
            return cell.cache[static_cast<std::size_t>(result)].get();
        };
        totals.hits += cached(CacheResult::hit);
        totals.stale += cached(CacheResult::stale);
        totals.misses += cached(CacheResult::miss);
        totals.passes += cached(CacheResult::pass);
        totals.fills += cell.fills.get();
        totals.collapsed += cell.collapsed.get();
        for (std::size_t i = 1; i < cache_results; ++i) {
            const auto result = static_cast<CacheResult>(i);
            const bool ours = result == CacheResult::hit || result == CacheResult::stale;
            (ours ? totals.bytes_hit : totals.bytes_missed) += cell.cache_bytes[i].get();
        }
    });
    return totals;
}

ConnectionTotals Metrics::connection_totals() const noexcept {
    ConnectionTotals totals;
    for (const auto& shard : impl_->shards) {
        const ConnectionGauges& part = shard->connections;
        totals.client_active += part.client_active.load(std::memory_order_relaxed);
        totals.client_idle += part.client_idle.load(std::memory_order_relaxed);
        totals.upstream_active += part.upstream_active.load(std::memory_order_relaxed);
        totals.upstream_idle += part.upstream_idle.load(std::memory_order_relaxed);
        totals.tunnels += part.tunnels.load(std::memory_order_relaxed);
        totals.accepted += part.accepted.load(std::memory_order_relaxed);
        totals.shed += part.shed.load(std::memory_order_relaxed);
        totals.handshaking += part.handshaking.load(std::memory_order_relaxed);
        totals.handshakes += part.handshakes.load(std::memory_order_relaxed);
        totals.resumed += part.resumed.load(std::memory_order_relaxed);
        totals.handshakes_failed += part.handshakes_failed.load(std::memory_order_relaxed);
        totals.handshakes_late += part.handshakes_late.load(std::memory_order_relaxed);
        totals.handshakes_shed += part.handshakes_shed.load(std::memory_order_relaxed);
        totals.proxy_refused += part.proxy_refused.load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < http2::floods; ++i)
            totals.floods[i] += part.floods[i].load(std::memory_order_relaxed);
    }
    return totals;
}

std::string Metrics::text(std::uint64_t log_dropped) const {
    Exposition page;
    impl_->write_routes(page);
    impl_->write_pools(page);
    impl_->write_connections(page, connection_totals());
    page.counter("scrollgate_access_log_dropped_total",
                 "Access log lines that were dropped: ring full, or the file took no more.");
    page.add({}, log_dropped);
    impl_->write_process(page);
    return page.text();
}

void Metrics::Impl::write_routes(Exposition& page) const {
    RouteSums sums;
    for (std::size_t i = 0; i < routes.by_index.size(); ++i) {
        RouteSum sum;
        each(&Shard::routes, i, [&](const RouteCell& cell) {
            cell.codes.each(
                [&](std::uint16_t code, std::uint64_t n) { sum.codes[std::to_string(code)] += n; },
                [&](std::size_t hundreds, std::uint64_t n) {
                    sum.codes[std::to_string(hundreds) + "xx"] += n;
                });
            sum.duration.add(cell.duration);
            sum.requests += cell.requests.get();
            sum.retries += cell.retries.get();
            sum.hedges_won += cell.hedges_won.get();
            sum.hedges_lost += cell.hedges_lost.get();
            sum.bytes_in += cell.bytes_in.get();
            sum.bytes_out += cell.bytes_out.get();
            sum.fills += cell.fills.get();
            sum.fills_failed += cell.fills_failed.get();
            for (std::size_t k = 0; k < cache_results; ++k)
                sum.cache[k] += cell.cache[k].get();
            for (std::size_t k = 0; k < grpc::statuses; ++k)
                sum.grpc[k] += cell.grpc[k].get();
        });
        if (sum.requests + sum.fills > 0) sums.emplace_back(routes.by_index[i], std::move(sum));
    }
    page.counter("scrollgate_requests_total",
                 "Requests by route and by the status they were sent.");
    for (const auto& [route, sum] : sums) {
        for (const auto& [code, n] : sum.codes)
            page.add({{"route", route}, {"code", code}}, n);
    }
    write_calls(page, sums);
    page.histogram("scrollgate_request_duration_seconds",
                   "First byte of the request to the last of the response, without tunnels.");
    for (const auto& [route, sum] : sums)
        page.add({{"route", route}}, sum.duration);
    const auto simple = [&](const char* name, const char* help, std::uint64_t RouteSum::*value) {
        page.counter(name, help);
        for (const auto& [route, sum] : sums)
            page.add({{"route", route}}, sum.*value);
    };
    simple("scrollgate_retries_total", "Attempts after the first of their request.",
           &RouteSum::retries);
    page.counter("scrollgate_hedges_total",
                 "Attempts made beside another one (late answers, slow connects), by whether they "
                 "gave the answer.");
    for (const auto& [route, sum] : sums) {
        page.add({{"route", route}, {"won", "true"}}, sum.hedges_won);
        page.add({{"route", route}, {"won", "false"}}, sum.hedges_lost);
    }
    write_cache(page, sums);
    simple("scrollgate_request_body_bytes_total", "Request body bytes received from clients.",
           &RouteSum::bytes_in);
    simple("scrollgate_response_body_bytes_total", "Response body bytes sent to clients.",
           &RouteSum::bytes_out);
}

void Metrics::Impl::write_pools(Exposition& page) const {
    std::map<std::string, HistogramSum> durations;  // labelled by pool alone
    page.counter("scrollgate_upstream_requests_total",
                 "Attempts by pool and how they ended: ok, or the reason of the error.");
    for (std::size_t i = 0; i < pools.by_index.size(); ++i) {
        const PoolName& name = pools.by_index[i];
        std::array<std::uint64_t, error_kinds + 1> outcomes{};
        each(&Shard::pools, i, [&](const PoolCell& cell) {
            for (std::size_t k = 0; k < outcomes.size(); ++k)
                outcomes[k] += cell.outcomes[k].get();
            if (i != other_pool || outcomes != decltype(outcomes){}) {
                durations[name.pool].add(cell.duration);
            }
        });
        for (std::size_t k = 0; k < outcomes.size(); ++k) {
            if (outcomes[k] == 0 && (k > 0 || i == other_pool)) continue;  // ok is always there
            page.add({{"pool", name.pool},
                      {"provider", name.provider},
                      {"region", name.region},
                      {"outcome", std::string(outcome_name(k))}},
                     outcomes[k]);
        }
    }
    page.histogram("scrollgate_upstream_duration_seconds", "Time of one attempt, by pool.");
    for (const auto& [pool, duration] : durations)
        page.add({{"pool", pool}}, duration);
}

void Metrics::Impl::write_connections(Exposition& page, const ConnectionTotals& totals) const {
    const auto gauge = [&](const char* side, const char* state, std::int64_t value) {
        page.add({{"side", side}, {"state", state}}, static_cast<double>(value));
    };
    page.gauge("scrollgate_connections", "Open connections: at work (active) or waiting (idle).");
    gauge("client", "active", totals.client_active - totals.client_idle);
    gauge("client", "idle", totals.client_idle);
    gauge("upstream", "active", totals.upstream_active - totals.upstream_idle);
    gauge("upstream", "idle", totals.upstream_idle);
    page.gauge("scrollgate_tunnels", "Open tunnels (Upgrade).");
    page.add({}, static_cast<double>(totals.tunnels));
    page.gauge("scrollgate_worker_connections",
               "Open client connections of each event loop: the kernel deals them out.");
    for (std::size_t i = 0; i < shards.size(); ++i) {
        page.add({{"worker", std::to_string(i)}},
                 static_cast<double>(shards[i]->connections.client_active.load()));
    }
    page.counter("scrollgate_connections_accepted_total", "Client connections accepted.");
    page.add({}, totals.accepted);
    page.gauge("scrollgate_handshakes_open",
               "Client connections before the end of PROXY header and TLS handshake.");
    page.add({}, static_cast<double>(totals.handshaking));
    page.counter("scrollgate_tls_handshakes_total",
                 "TLS handshakes with clients by how they ended: full, resumed (by a ticket), "
                 "failed, late (timeouts.handshake), shed (too many at a time).");
    page.add({{"result", "full"}}, totals.handshakes - totals.resumed);
    page.add({{"result", "resumed"}}, totals.resumed);
    page.add({{"result", "failed"}}, totals.handshakes_failed);
    page.add({{"result", "late"}}, totals.handshakes_late);
    page.add({{"result", "shed"}}, totals.handshakes_shed);
    page.counter("scrollgate_tls_floods_total",
                 "Connections ended because the peer sent messages of TLS itself without end, and "
                 "no data.");
    page.add({}, TlsStream::floods());
    page.counter("scrollgate_proxy_headers_refused_total",
                 "Connections without the PROXY header that is required, or from a peer that is "
                 "not one of trusted_proxies.");
    page.add({}, totals.proxy_refused);
    page.counter("scrollgate_connections_shed_total",
                 "Client connections closed at once: a limit, or no descriptors left.");
    page.add({}, totals.shed);
    page.counter("scrollgate_http2_floods_total",
                 "HTTP/2 connections ended for what the client sent too much of.");
    for (std::size_t i = 1; i < http2::floods; ++i) {
        const std::string kind(http2::flood_name(static_cast<http2::Flood>(i)));
        page.add({{"kind", kind}}, totals.floods[i]);
    }
}

void Metrics::Impl::write_process(Exposition& page) const {
    page.gauge("scrollgate_build_info", "The running version; always 1.");
    page.add({{"version", SCROLLGATE_VERSION}}, 1.0);
    page.gauge("scrollgate_workers", "Event loops.");
    page.add({}, static_cast<std::uint64_t>(shards.size()));
    page.counter("scrollgate_config_loads_total", "Loads of the configuration, by result.");
    page.add({{"result", "ok"}}, loads_ok);
    page.add({{"result", "failed"}}, loads_failed);
    page.gauge("scrollgate_config_last_load_successful", "1 if the latest load was taken.");
    page.add({}, last_load_ok ? 1.0 : 0.0);
    page.gauge("scrollgate_config_last_success_timestamp_seconds",
               "When the configuration in use was loaded.");
    page.add({}, last_success);
    const ProcessFacts process = read_process_facts();
    page.counter("process_cpu_seconds_total", "User and system CPU time.");
    page.add({}, process.cpu_seconds);
    page.gauge("process_resident_memory_bytes", "Resident memory.");
    page.add({}, process.resident_bytes);
    page.gauge("process_virtual_memory_bytes", "Virtual memory.");
    page.add({}, process.virtual_bytes);
    page.gauge("process_open_fds", "Open descriptors.");
    page.add({}, process.open_descriptors);
    page.gauge("process_max_fds", "The limit of open descriptors.");
    page.add({}, process.max_descriptors);
    page.gauge("process_start_time_seconds", "Start of the process since the epoch.");
    page.add({}, process.start_time_seconds);
}

}  // namespace scrollgate
