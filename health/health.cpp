#include "health/health.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "core/limits.hpp"
#include "core/log.hpp"
#include "core/net/event_loop.hpp"
#include "health/names.hpp"
#include "health/plans.hpp"
#include "health/prober.hpp"
#include "health/verdicts.hpp"

namespace scrollgate {

struct Health::Impl : private TimerWheel::Timer {
    Impl(const Clock& clock_in, Dialer& dialer_in, Resolve resolve)
        : clock(clock_in),
          loop(clock, random_seed(), limits::frequency),
          dialer(dialer_in),
          names(clock,
                [this, resolve = std::move(resolve)](const std::string& host,
                                                     std::function<void(Names::Addresses)> done) {
                    resolve(host, [this, done = std::move(done)](Names::Addresses found) {
                        loop.post([done, found = std::move(found)] { done(found); });
                    });
                }),
          verdicts(loop.rng(), [](const std::string& line) { log::info("{}", line); }) {}

    using Key = std::pair<std::string, std::string>;  ///< pool, and address or url

    void run();
    void update(std::shared_ptr<const config::Config> next, const PoolSets& sets,
                ProbeTargets next_targets);
    void look();
    void look_because_of_bell();
    void plan_look(TimePoint when);
    void publish();
    void tell_webhooks();
    void watch_endpoints(std::map<Key, std::unique_ptr<Prober>>& kept);
    void watch_dependencies(std::map<Key, std::unique_ptr<Prober>>& kept);
    void watch_webhooks();
    [[nodiscard]] ProbePlan plan_check(const Key& key);
    [[nodiscard]] ProbePlan plan_dependency(const Key& key);
    [[nodiscard]] ProbePlan plan_webhook(const std::string& pool);
    /// Null where the URL is plain.
    [[nodiscard]] std::shared_ptr<const TlsTarget> target_of(const Key& key) const {
        const auto found = targets.find(key);
        return found != targets.end() ? found->second : nullptr;
    }
    void say_starved(const Key& key, const ProbeResult& result);
    void command(const std::function<std::string(TimePoint now)>& act, const Done& done);
    void sweep();

    /// What a pool's webhook has been told, or need not be told.
    struct Told {
        ScaleState scale;
        TimePoint names_until;  ///< so long its names may still come in
        bool resolved = false;  ///< they have
    };

    const Clock& clock;
    EventLoop loop;
    Dialer& dialer;
    Names names;
    Verdicts verdicts;
    std::shared_ptr<const config::Config> config;
    ProbeTargets targets;
    std::map<Key, std::unique_ptr<Prober>> checks, dependencies;
    std::map<std::string, std::unique_ptr<Webhook>> webhooks;  ///< by pool
    std::map<std::string, Told> told;                          ///< by pool
    std::vector<std::unique_ptr<Prober>> leaving;              ///< until they have ended
    std::vector<std::unique_ptr<Webhook>> leaving_webhooks;
    TimePoint looked{};
    std::atomic<TimePoint> published{TimePoint{}};
    TimePoint starved_said{};
    bool stopping = false;  ///< the loop has ended; what still comes does nothing
    std::atomic<bool> rung{false}, asleep{true};
    mutable std::mutex mutex;
    std::shared_ptr<const HealthStatus> status = std::make_shared<HealthStatus>();  ///< under mutex
    std::thread thread;

  private:
    void expired() noexcept override { look(); }
};

void Health::Impl::run() {
    loop.run();
    stopping = true;
    disarm();
    for (auto* all : {&checks, &dependencies}) {
        for (auto& [key, prober] : *all)
            leaving.push_back(std::move(prober));
        all->clear();
    }
    for (auto& [pool, webhook] : webhooks)
        leaving_webhooks.push_back(std::move(webhook));
    webhooks.clear();
    for (const auto& prober : leaving)
        prober->stop();
    for (const auto& webhook : leaving_webhooks)
        webhook->stop();
    while (loop.poll()) {  // what was called off completes
    }
    sweep();
}

// ---- looking

void Health::Impl::plan_look(TimePoint when) {
    if (when == never) {
        disarm();
    } else {
        loop.arm(*this, when);
    }
    asleep.store(when == never || when - loop.now() > limits::health_look,
                 std::memory_order_relaxed);
}

void Health::Impl::look() {
    if (stopping || !config) return;
    looked = loop.now();
    const TimePoint next = verdicts.look(looked);
    const bool old = looked - published.load(std::memory_order_relaxed) >= limits::health_publish;
    if (verdicts.take_changed() || old) publish();
    tell_webhooks();
    sweep();
    plan_look(next);
}

void Health::Impl::look_because_of_bell() {
    if (stopping) return;
    rung.store(false, std::memory_order_relaxed);
    const TimePoint soonest = looked + limits::health_look_again;
    if (loop.now() >= soonest) {
        look();
    } else {
        plan_look(soonest);  // a dead endpoint that is asked a lot must not keep us busy
    }
}

void Health::Impl::publish() {
    published.store(loop.now(), std::memory_order_relaxed);
    auto made = std::make_shared<const HealthStatus>(verdicts.status());
    const std::lock_guard lock(mutex);
    status.swap(made);
}

void Health::Impl::tell_webhooks() {
    for (const auto& pool : verdicts.pools()) {
        const auto webhook = webhooks.find(pool->config.name);
        if (webhook == webhooks.end()) continue;
        const ScaleState& scale = pool->scaler.state();
        const auto [known, fresh] =
            told.try_emplace(pool->config.name, Told{scale, looked + limits::webhook_names});
        Told& last = known->second;
        const bool arriving = !last.resolved && looked < last.names_until && !pool->scaler.asked();
        if (arriving) last.resolved = pool->resolved();
        if (last.scale.wanted == scale.wanted && last.scale.pending == scale.pending &&
            last.scale.in_service == scale.in_service) {
            continue;
        }
        last.scale = scale;
        // At the start, what is there comes in name by name: nobody has asked for anything.
        if (arriving) continue;
        webhook->second->tell(webhook_content(pool->config.name, scale));
    }
}

void Health::Impl::sweep() {
    std::erase_if(leaving, [](const auto& prober) { return !prober->running(); });
    std::erase_if(leaving_webhooks, [](const auto& webhook) { return !webhook->running(); });
}

// ---- what is watched

void Health::Impl::update(std::shared_ptr<const config::Config> next, const PoolSets& sets,
                          ProbeTargets next_targets) {
    if (stopping) return;
    config = next;
    targets = std::move(next_targets);
    verdicts.update(std::move(next), sets, loop.now());
    std::map<Key, std::unique_ptr<Prober>> kept_checks, kept_dependencies;
    watch_endpoints(kept_checks);
    watch_dependencies(kept_dependencies);
    for (auto* old : {&checks, &dependencies}) {
        for (auto& [key, prober] : *old) {
            if (!prober) continue;
            prober->stop();
            leaving.push_back(std::move(prober));
        }
    }
    checks = std::move(kept_checks);
    dependencies = std::move(kept_dependencies);
    watch_webhooks();
    look();
}

void Health::Impl::watch_endpoints(std::map<Key, std::unique_ptr<Prober>>& kept) {
    for (const auto& pool : verdicts.pools()) {
        for (const auto& endpoint : pool->endpoints) {
            if (!endpoint->check) continue;
            const Key key{pool->config.name, endpoint->endpoint->text};
            if (kept.contains(key)) continue;
            std::unique_ptr<Prober>& prober = kept[key] = std::move(checks[key]);
            if (prober) {
                prober->reschedule(std::min(endpoint->check->due(),
                                            loop.now() + pool->config.health_check->interval));
                continue;
            }
            prober = std::make_unique<Prober>(
                loop, dialer, [this, key] { return plan_check(key); },
                [this, key](const ProbeResult& result, TimePoint began) {
                    const auto& [of, address] = key;
                    if (result.starved) {
                        say_starved(key, result);
                        return verdicts.unchecked(of, address, began, loop.now());
                    }
                    const TimePoint due =
                        verdicts.checked(of, address, result.passed, result.why, began, loop.now());
                    if (verdicts.changed()) look();
                    return due;
                },
                endpoint->check->due());
        }
    }
}

void Health::Impl::watch_dependencies(std::map<Key, std::unique_ptr<Prober>>& kept) {
    for (const auto& pool : verdicts.pools()) {
        for (const WatchedPool::Dependency& dependency : pool->depends_on) {
            const Key key{pool->config.name, dependency.config.url};
            if (kept.contains(key)) continue;
            std::unique_ptr<Prober>& prober = kept[key] = std::move(dependencies[key]);
            if (prober) continue;
            prober = std::make_unique<Prober>(
                loop, dialer, [this, key] { return plan_dependency(key); },
                [this, key, shown = dependency.config.shown](const ProbeResult& result,
                                                             TimePoint began) {
                    const auto& [of, url] = key;
                    if (result.starved) {
                        say_starved({of, shown}, result);
                        return verdicts.dependency_unchecked(of, url, began, loop.now());
                    }
                    const TimePoint due = verdicts.dependency_checked(
                        of, url, result.passed, result.why, began, loop.now());
                    if (verdicts.changed()) look();
                    return due;
                },
                dependency.check.due());
        }
    }
}

void Health::Impl::watch_webhooks() {
    std::map<std::string, std::unique_ptr<Webhook>> kept;
    for (const config::Pool& pool : config->pools) {
        if (!pool.webhook) continue;
        std::unique_ptr<Webhook>& webhook = kept[pool.name] = std::move(webhooks[pool.name]);
        if (webhook) continue;
        webhook =
            std::make_unique<Webhook>(loop, dialer, "pool " + pool.name,
                                      [this, name = pool.name] { return plan_webhook(name); });
    }
    for (auto& [pool, webhook] : webhooks) {
        if (!webhook) continue;
        webhook->stop();
        leaving_webhooks.push_back(std::move(webhook));
        told.erase(pool);
    }
    webhooks = std::move(kept);
}

ProbePlan Health::Impl::plan_check(const Key& key) {
    const WatchedPool* pool = verdicts.find(key.first);
    const WatchedEndpoint* endpoint = pool != nullptr ? pool->find(key.second) : nullptr;
    if (endpoint == nullptr || !pool->config.health_check) return {};
    return check_plan(pool->config, *pool->config.health_check, *endpoint->endpoint);
}

ProbePlan Health::Impl::plan_dependency(const Key& key) {
    const WatchedPool* pool = verdicts.find(key.first);
    if (pool == nullptr) return {};
    for (const WatchedPool::Dependency& one : pool->depends_on) {
        if (one.config.url == key.second) return dependency_plan(one.config, names, target_of(key));
    }
    return {};
}

ProbePlan Health::Impl::plan_webhook(const std::string& pool) {
    for (const config::Pool& one : config->pools) {
        if (one.name != pool || !one.webhook) continue;
        return webhook_plan(*one.webhook, names, target_of({pool, one.webhook->url}));
    }
    return {};
}

/// Rarely: all probers run out of the same thing.
void Health::Impl::say_starved(const Key& key, const ProbeResult& result) {
    if (starved_said != TimePoint{} && loop.now() - starved_said < limits::check_starved_said) {
        return;
    }
    starved_said = loop.now();
    log::warn(
        "pool {}: {} could not be checked: {} (of this process or machine; says nothing of "
        "it; others may have the same)",
        key.first, key.second, result.why);
}

void Health::Impl::command(const std::function<std::string(TimePoint now)>& act, const Done& done) {
    if (stopping) return;
    std::string refused = act(loop.now());
    look();
    publish();
    if (done) done(std::move(refused), status);
}

// ---- the other threads' side

Health::Health(const Clock& clock, Dialer& dialer, Resolve resolve)
    : impl_(std::make_unique<Impl>(clock, dialer, std::move(resolve))) {}

Health::~Health() {
    stop();
}

void Health::start() {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

void Health::stop() {
    if (!impl_->thread.joinable()) return;
    impl_->loop.stop();
    impl_->thread.join();
}

void Health::update(std::shared_ptr<const config::Config> config, PoolSets sets,
                    ProbeTargets targets) {
    impl_->loop.post([impl = impl_.get(), config = std::move(config), sets = std::move(sets),
                      targets = std::move(targets)] { impl->update(config, sets, targets); });
}

bool Health::asleep() const noexcept {
    return impl_->asleep.load(std::memory_order_relaxed);
}

void Health::ring() const {
    if (impl_->rung.load(std::memory_order_relaxed)) return;
    if (impl_->rung.exchange(true, std::memory_order_relaxed)) return;
    impl_->loop.post([impl = impl_.get()] { impl->look_because_of_bell(); });
}

std::shared_ptr<const HealthStatus> Health::status() const {
    const TimePoint published = impl_->published.load(std::memory_order_relaxed);
    if (impl_->clock.now() - published >= limits::health_publish) ring();
    const std::lock_guard lock(impl_->mutex);
    return impl_->status;
}

void Health::fail(std::string pool, Duration span, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), span, done = std::move(done)] {
        impl->command([&](TimePoint now) { return impl->verdicts.fail(pool, span, now); }, done);
    });
}

void Health::unfail(std::string pool, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), done = std::move(done)] {
        impl->command([&](TimePoint now) { return impl->verdicts.unfail(pool, now); }, done);
    });
}

void Health::drain(std::string pool, std::string address, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), address = std::move(address),
                      done = std::move(done)] {
        impl->command([&](TimePoint now) { return impl->verdicts.drain(pool, address, now); },
                      done);
    });
}

void Health::undrain(std::string pool, std::string address, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), address = std::move(address),
                      done = std::move(done)] {
        impl->command([&](TimePoint now) { return impl->verdicts.undrain(pool, address, now); },
                      done);
    });
}

void Health::scale(std::string pool, ScaleWish wish, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), wish, done = std::move(done)] {
        impl->command([&](TimePoint now) { return impl->verdicts.scale(pool, wish, now); }, done);
    });
}

}  // namespace scrollgate
