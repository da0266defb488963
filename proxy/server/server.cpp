#include "proxy/server/server.hpp"

#include <algorithm>
#include <csignal>
#include <map>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "balancer/endpoint.hpp"
#include "config/diff.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "core/net/alarm.hpp"
#include "core/net/resolver.hpp"
#include "core/process_limits.hpp"
#include "health/health.hpp"
#include "proxy/admin/admin_server.hpp"
#include "proxy/admin/status_metrics.hpp"
#include "proxy/caching/fleet.hpp"
#include "proxy/server/cache_hooks.hpp"
#include "proxy/server/certificate_store.hpp"
#include "proxy/server/drain.hpp"
#include "proxy/server/endpoint_watch.hpp"
#include "proxy/server/listener_set.hpp"
#include "proxy/server/status_report.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

namespace asio = boost::asio;

std::string random_node() {
    return fmt::format("sg-{:08x}", random_seed() & 0xffffffffU);
}

void refuse(config::Loaded& loaded, std::string why) {
    loaded.problems.push_back({config::Problem::Severity::error, 0, 0, "", std::move(why)});
}

}  // namespace

struct Server::Impl {
    Impl(config::Config config, Options options_in);
    ~Impl();

    [[nodiscard]] std::shared_ptr<const Snapshot> make_snapshot(config::Config config);
    [[nodiscard]] std::unique_ptr<Fleet> make_fleet(const config::Config& config);
    void apply_limits();
    [[nodiscard]] std::uint64_t admit();
    void resolve_names(const config::Config& config);
    void start_workers();
    void start_admin();
    void listen_on(const config::Config& config);
    void wait_for_signals();
    void on_signal(int signal);
    [[nodiscard]] std::vector<std::string> unwritten_purges() const {
        return fleet ? fleet->unwritten() : std::vector<std::string>();
    }
    void push_endpoints();
    void update_health();
    void resolve_for_health(const std::string& host,
                            std::function<void(std::vector<SocketAddress>)> done);
    void reload(const std::function<void(ReloadAnswer)>& answer);
    [[nodiscard]] std::string switch_to(const config::Config& next);
    void use(std::shared_ptr<const Snapshot> next);
    [[nodiscard]] std::string switch_listeners(const config::Config& next,
                                               CertificateStore::Contexts contexts);
    [[nodiscard]] AdminHooks hooks();
    [[nodiscard]] bool ready() const { return state == Status::State::ready && desk.warmed(); }
    [[nodiscard]] Status status() const;
    void command(const PoolCommand& asked, PoolCommandDone done);

    Options options;
    asio::io_context control{1};
    asio::signal_set signals{control, SIGTERM, SIGINT, SIGHUP};
    const std::uint64_t descriptors = raise_descriptor_limit();
    const unsigned worker_count;
    const TimePoint started = system_clock().now();
    const std::string node;

    SocketDialer dialer;
    Metrics metrics;
    AccessLog access_log;
    Admission admission;
    ResponseCache cache{system_clock()};
    CaresResolver resolver{control};
    std::unique_ptr<Fleet> fleet;  ///< null without cache.redis
    EndpointRegistry registry;
    AsioAlarm watch_alarm{control};
    EndpointWatch watch;
    Health health;
    ListenerSet listeners;
    AsioAlarm certificate_alarm{control};
    CertificateStore certificates;
    PoolContexts pool_tls;
    ProbeTargets probe_tls;
    std::shared_ptr<const Snapshot> snapshot;
    std::uint64_t snapshots = 0;
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::thread> threads;
    CacheDesk desk{system_clock(), cache,
                   cache_hooks(control, workers, [this] { return snapshot; })};
    std::map<std::uint64_t, PoolCommandDone> waiting;  ///< for health's answer
    std::uint64_t commands = 0;
    std::unique_ptr<AdminServer> admin;
    AsioAlarm drain_alarm{control};
    std::unique_ptr<Drain> drain;
    Status::State state = Status::State::starting;
};

Server::Impl::Impl(config::Config config, Options options_in)
    : options(std::move(options_in)),
      worker_count(config.workers != 0 ? config.workers
                                       : std::min(usable_cores(), limits::workers_max)),
      node(config.self.node.empty() ? random_node() : config.self.node),
      metrics(worker_count),
      access_log(config.access_log, worker_count),
      fleet(make_fleet(config)),
      watch(resolver, registry, system_clock(), watch_alarm,
            [this](const std::string&, const auto&) { push_endpoints(); }),
      health(system_clock(), dialer,
             [this](const std::string& host, auto done) {
                 resolve_for_health(host, std::move(done));
             }),
      listeners(worker_count),
      certificates(system_clock(), certificate_alarm, [this] {
          if (!drain) listen_on(*snapshot->config);
      }) {
    ::signal(SIGPIPE, SIG_IGN);  // or there are no pipes to splice through
    signals.add(SIGUSR1);
    snapshot = make_snapshot(std::move(config));
    certificates.use(snapshot->config->listeners, certificates.load(snapshot->config->listeners));
    pool_tls = pool_contexts(snapshot->config->pools);
    probe_tls = probe_targets(snapshot->config->pools);
    for (const config::Listener& listener : snapshot->config->listeners) {
        const std::string failed = listeners.open(listener.bind);
        if (!failed.empty()) throw std::runtime_error(failed);
    }
    resolve_names(*snapshot->config);
    apply_limits();
    start_admin();
    health.start();
    update_health();
    start_workers();
    desk.start();
    metrics.config_loaded(true, system_clock().wall());
    wait_for_signals();
}

Server::Impl::~Impl() {
    for (const std::unique_ptr<Worker>& worker : workers)
        worker->stop();
    for (std::thread& thread : threads)
        thread.join();
    health.stop();
}

std::shared_ptr<const Snapshot> Server::Impl::make_snapshot(config::Config config) {
    return std::make_shared<const Snapshot>(
        ++snapshots, std::make_shared<const config::Config>(std::move(config)), node,
        system_clock().wall(), metrics);
}

std::unique_ptr<Fleet> Server::Impl::make_fleet(const config::Config& config) {
    if (!config.cache.redis) return nullptr;
    auto made = std::make_unique<Fleet>(
        *config.cache.redis,
        Fleet::Around{control, resolver, dialer, cache.store, node,
                      std::make_unique<AsioAlarm>(control), [this] { desk.sweep(); }});
    cache.fleet = made.get();
    return made;
}

// Client connections leave descriptors to what health asks, so that a crowd does not blind it.
// Returns how many there may be.
std::uint64_t Server::Impl::admit() {
    const config::Config& config = *snapshot->config;
    const PoolSets& sets = watch.sets();
    std::uint64_t probers = 0;
    for (const config::Pool& pool : config.pools) {
        probers += pool.depends_on.size() + (pool.webhook ? 1 : 0);
        const auto set = sets.find(pool.name);
        if (pool.health_check && set != sets.end()) probers += set->second->size();
    }
    const std::uint64_t kept = limits::reserved_descriptors + std::min(probers, descriptors / 4);
    const std::uint64_t available = descriptors > kept + limits::reserved_descriptors
                                        ? descriptors - kept
                                        : limits::reserved_descriptors;
    const std::uint64_t wanted = config.limits.connections;
    admission.set_limits(wanted == 0 ? available : std::min(wanted, available),
                         config.limits.connections_per_ip);
    return available;
}

void Server::Impl::apply_limits() {
    cache.store.configure(snapshot->config->cache);
    if (fleet) fleet->state().longest.store(snapshot->config->cache.max_object);
    const std::uint64_t available = admit();
    const std::uint64_t wanted = snapshot->config->limits.connections;
    if (wanted != 0 && wanted != limits::unlimited && wanted > available) {
        log::warn(
            "limits.connections is {}, but the process may open only {} files; raise "
            "RLIMIT_NOFILE (ulimit -n, LimitNOFILE=)",
            wanted, descriptors);
    }
}

void Server::Impl::resolve_names(const config::Config& config) {
    std::string servers;
    for (const SocketAddress& server : config.dns.servers)
        servers += (servers.empty() ? "" : ",") + server.text();
    resolver.use_servers(std::move(servers));
    watch.update(config, pool_tls);
}

void Server::Impl::start_workers() {
    const WorkerShared shared{system_clock(), dialer, metrics, access_log,
                              admission,      cache,  workers, &health};
    for (unsigned i = 0; i < worker_count; ++i) {
        workers.push_back(std::make_unique<Worker>(i, shared, snapshot->config->frequency, snapshot,
                                                   watch.sets()));
    }
    listen_on(*snapshot->config);
    for (const config::Listener& listener : snapshot->config->listeners)
        log::info("listening on {}{}", listener.bind.text(), listener.tls ? " (TLS)" : "");
    for (const std::unique_ptr<Worker>& worker : workers) {
        threads.emplace_back([&worker = *worker] { worker.run(); });
    }
}

/// Every worker accepts for the listeners of `config`, as they are now.
void Server::Impl::listen_on(const config::Config& config) {
    for (std::size_t k = 0; k < config.listeners.size(); ++k) {
        const config::Listener& listener = config.listeners[k];
        const auto runtime = std::make_shared<const ListenerRuntime>(
            ListenerRuntime{listener.name, listener.https_redirect, listener.proxy_protocol,
                            config.timeouts.handshake, certificates.at(k), terms_of(listener)});
        const std::vector<int>& sockets = listeners.sockets(listener.bind);
        for (unsigned i = 0; i < worker_count; ++i)
            workers[i]->listen(sockets[i], runtime);
    }
}

void Server::Impl::push_endpoints() {
    static_cast<void>(admit());
    update_health();
    for (const std::unique_ptr<Worker>& worker : workers)
        worker->update(watch.sets());
}

void Server::Impl::update_health() {
    health.update(snapshot->config, watch.sets(), probe_tls);
}

// Called on health's thread; the resolver is the control thread's.
void Server::Impl::resolve_for_health(const std::string& host,
                                      std::function<void(std::vector<SocketAddress>)> done) {
    asio::post(control, [this, host, done = std::move(done)] {
        resolver.resolve(host, 0,
                         [done](const Resolver::Answer& answer) { done(answer.addresses); });
    });
}

// ---- admin

Status Server::Impl::status() const {
    const TimePoint now = system_clock().now();
    Status made = report_status(*snapshot, watch.sets(), *health.status(), metrics, cache, now);
    made.certificates = certificates.status();
    if (fleet) made.cache.tier = report_tier(*fleet, now, system_clock().wall());
    made.state = ready() || state == Status::State::draining ? state : Status::State::starting;
    made.uptime = now - started;
    return made;
}

// Health answers on its own thread. Only a number goes there: whoever waits, and what it holds,
// stays with control.
void Server::Impl::command(const PoolCommand& asked, PoolCommandDone done) {
    const std::uint64_t number = ++commands;
    waiting.emplace(number, std::move(done));
    const Health::Done answer = [this, number](const std::string& refused, const auto& status) {
        asio::post(control, [this, number, refused, status] {
            auto held = waiting.extract(number);
            held.mapped()(refused, *status);
        });
    };
    switch (asked.kind) {
        case PoolCommand::Kind::scale:
            return health.scale(asked.pool, asked.wish, answer);
        case PoolCommand::Kind::fail:
            return health.fail(asked.pool, asked.span, answer);
        case PoolCommand::Kind::unfail:
            return health.unfail(asked.pool, answer);
        case PoolCommand::Kind::drain:
            return health.drain(asked.pool, asked.address, answer);
        case PoolCommand::Kind::undrain:
            return health.undrain(asked.pool, asked.address, answer);
    }
}

AdminHooks Server::Impl::hooks() {
    return {
        .status = [this] { return status(); },
        .reload = [this](std::function<void(ReloadAnswer)> answer) { reload(answer); },
        .command = [this](PoolCommand asked,
                          PoolCommandDone done) { command(asked, std::move(done)); },
        .metrics = [this] { return metrics.text(access_log.dropped()) + status_metrics(status()); },
        .ready = [this] { return ready(); },
        .config = [this] { return snapshot->config; },
        .cache = [this]() -> CacheDesk& { return desk; },
    };
}

void Server::Impl::start_admin() {
    if (!snapshot->config->admin) return;
    admin = std::make_unique<AdminServer>(control, *snapshot->config->admin, hooks());
    const std::string failed = admin->start();
    if (!failed.empty()) throw std::runtime_error(failed);
    log::info("admin on {}", snapshot->config->admin->address);
}

// ---- signals

void Server::Impl::wait_for_signals() {
    signals.async_wait([this](boost::system::error_code error, int signal) {
        if (error) return;
        on_signal(signal);
        wait_for_signals();
    });
}

void Server::Impl::on_signal(int signal) {
    if (signal == SIGUSR1) return access_log.reopen();
    if (signal == SIGHUP) {
        return reload([](const ReloadAnswer&) {});  // what came of it is in the log
    }
    if (drain) return drain->hurry();
    log::info("{}: draining; a second signal ends at once",
              signal == SIGTERM ? "SIGTERM" : "SIGINT");
    state = Status::State::draining;
    desk.stop();
    std::vector<Worker*> all;
    for (const std::unique_ptr<Worker>& worker : workers)
        all.push_back(worker.get());
    drain = std::make_unique<Drain>(
        control, drain_alarm, snapshot->config->timeouts, listeners, all,
        Drain::Hooks{[this] { return unwritten_purges(); }, [this] { control.stop(); }});
}

// ---- reload

void Server::Impl::reload(const std::function<void(ReloadAnswer)>& answer) {
    ReloadAnswer result;
    result.file = options.file;
    config::Loaded loaded = options.load ? options.load() : config::Loaded{};
    if (!options.load) refuse(loaded, "this process was started without a file: nothing to reload");
    if (loaded.ok() && drain) refuse(loaded, "the process is draining");
    std::shared_ptr<const Snapshot> next;
    if (loaded.ok()) {
        result.not_reloadable = config::not_reloadable(*snapshot->config, loaded.config);
        config::keep_in_force(*snapshot->config, loaded.config);
        try {
            next = make_snapshot(std::move(loaded.config));
            const std::string failed = switch_to(*next->config);
            if (!failed.empty()) refuse(loaded, failed);
        } catch (const std::exception& error) {
            refuse(loaded, error.what());
        }
    }
    result.problems = loaded.problems;
    result.ok = loaded.ok();
    metrics.config_loaded(result.ok, system_clock().wall());
    for (const config::Problem& problem : loaded.problems) {
        log::warn("reload: {}", config::to_text(problem, options.file));
    }
    if (result.ok) {
        use(std::move(next));
        result.snapshot = snapshot->id;
        for (const std::string& difference : result.not_reloadable)
            log::warn("reload: {}", difference);
        log::info("reload: snapshot {} is in use", snapshot->id);
    } else {
        log::error("reload: refused, snapshot {} stays in use", snapshot->id);
    }
    answer(result);
}

// What can fail; if something does, why is returned or thrown, and the listeners are as before.
std::string Server::Impl::switch_to(const config::Config& next) {
    auto contexts = certificates.load(next.listeners);
    PoolContexts pools = pool_contexts(next.pools);
    ProbeTargets probes = probe_targets(next.pools);
    access_log.reconfigure(next.access_log);
    std::string failed = switch_listeners(next, std::move(contexts));
    if (failed.empty()) {
        pool_tls = std::move(pools);
        probe_tls = std::move(probes);
    } else {
        access_log.reconfigure(snapshot->config->access_log);
    }
    return failed;
}

void Server::Impl::use(std::shared_ptr<const Snapshot> next) {
    snapshot = std::move(next);
    resolve_names(*snapshot->config);
    apply_limits();
    update_health();
    for (const std::unique_ptr<Worker>& worker : workers) {
        worker->adopt(snapshot, watch.sets());
    }
    desk.reload();
}

// Opens what is new (all of it, or nothing changes), then lets go of what is gone.
std::string Server::Impl::switch_listeners(const config::Config& next,
                                           CertificateStore::Contexts contexts) {
    std::vector<SocketAddress> opened;
    for (const config::Listener& listener : next.listeners) {
        if (listeners.has(listener.bind)) continue;
        const std::string failed = listeners.open(listener.bind);
        if (!failed.empty()) {
            for (const SocketAddress& address : opened)
                listeners.close(address);
            return failed;
        }
        opened.push_back(listener.bind);
        log::info("listening on {}", listener.bind.text());
    }
    certificates.use(next.listeners, std::move(contexts));
    listen_on(next);  // those that stay may have another name or certificate now
    for (const SocketAddress& address : listeners.addresses()) {
        const bool stays = std::any_of(next.listeners.begin(), next.listeners.end(),
                                       [&](const auto& l) { return l.bind == address; });
        if (!stays) drop_listener(listeners, workers, control, address);
    }
    return {};
}

Server::Server(config::Config config, Options options)
    : impl_(std::make_unique<Impl>(std::move(config), std::move(options))) {}

Server::~Server() = default;

int Server::run() {
    impl_->state = Status::State::ready;
    log::info("ready: snapshot {}, {} workers", impl_->snapshot->id, impl_->worker_count);
    if (impl_->options.on_ready) impl_->options.on_ready();
    impl_->control.run();
    log::info("stopped");
    return 0;
}

}  // namespace scrollgate
