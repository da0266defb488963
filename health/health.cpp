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
    Impl(const Clock& clock, Dialer& dialer_in, Resolve resolve)
        : loop(clock, random_seed(), limits::frequency),
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
    void update(std::shared_ptr<const config::Config> next, const PoolSets& sets);
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
    void command(const std::function<std::string()>& act, const Done& done);
    void sweep();

    EventLoop loop;
    Dialer& dialer;
    Names names;
    Verdicts verdicts;
    std::shared_ptr<const config::Config> config;
    std::map<Key, std::unique_ptr<Prober>> checks, dependencies;
    std::map<std::string, std::unique_ptr<Webhook>> webhooks;  ///< by pool
    std::map<std::string, ScaleState> told;                    ///< by pool
    std::vector<std::unique_ptr<Prober>> leaving;              ///< until they have ended
    std::vector<std::unique_ptr<Webhook>> leaving_webhooks;
    TimePoint looked{}, published{};
    std::atomic<bool> rung{false}, asleep{true};
    mutable std::mutex mutex;
    std::shared_ptr<const HealthStatus> status = std::make_shared<HealthStatus>();  ///< under mutex
    std::thread thread;

  private:
    void expired() noexcept override { look(); }
};

void Health::Impl::run() {
    loop.run();
    for (auto& [key, prober] : checks)
        leaving.push_back(std::move(prober));
    for (auto& [key, prober] : dependencies)
        leaving.push_back(std::move(prober));
    for (auto& [pool, webhook] : webhooks)
        leaving_webhooks.push_back(std::move(webhook));
    for (const auto& prober : leaving)
        prober->stop();
    for (const auto& webhook : leaving_webhooks)
        webhook->stop();
    while (loop.poll()) {  // what was called off completes
    }
    checks.clear();
    dependencies.clear();
    webhooks.clear();
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
    looked = loop.now();
    const TimePoint next = verdicts.look(looked);
    if (verdicts.take_changed() || looked - published >= limits::health_publish) publish();
    tell_webhooks();
    sweep();
    plan_look(next);
}

void Health::Impl::look_because_of_bell() {
    rung.store(false, std::memory_order_relaxed);
    const TimePoint soonest = looked + limits::health_look_again;
    if (loop.now() >= soonest) {
        look();
    } else {
        plan_look(soonest);  // a dead endpoint that is asked a lot must not keep us busy
    }
}

void Health::Impl::publish() {
    published = loop.now();
    auto made = std::make_shared<const HealthStatus>(verdicts.status());
    const std::lock_guard lock(mutex);
    status.swap(made);
}

void Health::Impl::tell_webhooks() {
    for (const auto& pool : verdicts.pools()) {
        const auto webhook = webhooks.find(pool->config.name);
        if (webhook == webhooks.end()) continue;
        const ScaleState& scale = pool->scaler.state();
        const auto [known, fresh] = told.try_emplace(pool->config.name, scale);
        if (known->second.wanted == scale.wanted && known->second.pending == scale.pending &&
            known->second.in_service == scale.in_service) {
            continue;
        }
        known->second = scale;
        webhook->second->tell(webhook_content(pool->config.name, scale));
    }
}

void Health::Impl::sweep() {
    std::erase_if(leaving, [](const auto& prober) { return !prober->running(); });
    std::erase_if(leaving_webhooks, [](const auto& webhook) { return !webhook->running(); });
}

// ---- what is watched

void Health::Impl::update(std::shared_ptr<const config::Config> next, const PoolSets& sets) {
    config = next;
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
            std::unique_ptr<Prober>& prober = kept[key] = std::move(checks[key]);
            if (prober) {
                prober->reschedule(std::min(endpoint->check->due(),
                                            loop.now() + pool->config.health_check->interval));
                continue;
            }
            prober = std::make_unique<Prober>(
                loop, dialer, [this, key] { return plan_check(key); },
                [this, key](const ProbeResult& result, TimePoint began) {
                    const TimePoint due = verdicts.checked(key.first, key.second, result.passed,
                                                           result.why, began, loop.now());
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
            std::unique_ptr<Prober>& prober = kept[key] = std::move(dependencies[key]);
            if (prober) continue;
            prober = std::make_unique<Prober>(
                loop, dialer, [this, key] { return plan_dependency(key); },
                [this, key](const ProbeResult& result, TimePoint began) {
                    const TimePoint due = verdicts.dependency_checked(
                        key.first, key.second, result.passed, result.why, began, loop.now());
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
            std::make_unique<Webhook>(loop, dialer, "pool " + pool.name, [this, name = pool.name] {
                for (const config::Pool& one : config->pools) {
                    if (one.name != name || !one.webhook) continue;
                    return webhook_plan(*one.webhook, names);
                }
                return ProbePlan{};
            });
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
    for (const auto& pool : verdicts.pools()) {
        if (pool->config.name != key.first || !pool->config.health_check) continue;
        for (const auto& endpoint : pool->endpoints) {
            if (endpoint->endpoint->text != key.second) continue;
            return check_plan(pool->config, *pool->config.health_check, *endpoint->endpoint);
        }
    }
    return {};
}

ProbePlan Health::Impl::plan_dependency(const Key& key) {
    for (const auto& pool : verdicts.pools()) {
        if (pool->config.name != key.first) continue;
        for (const WatchedPool::Dependency& one : pool->depends_on) {
            if (one.config.url == key.second) return dependency_plan(one.config, names);
        }
    }
    return {};
}

void Health::Impl::command(const std::function<std::string()>& act, const Done& done) {
    std::string refused = act();
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

void Health::update(std::shared_ptr<const config::Config> config, PoolSets sets) {
    impl_->loop.post([impl = impl_.get(), config = std::move(config), sets = std::move(sets)] {
        impl->update(config, sets);
    });
}

bool Health::asleep() const noexcept {
    return impl_->asleep.load(std::memory_order_relaxed);
}

void Health::ring() {
    if (impl_->rung.load(std::memory_order_relaxed)) return;
    if (impl_->rung.exchange(true, std::memory_order_relaxed)) return;
    impl_->loop.post([impl = impl_.get()] { impl->look_because_of_bell(); });
}

std::shared_ptr<const HealthStatus> Health::status() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->status;
}

void Health::fail(std::string pool, Duration span, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), span, done = std::move(done)] {
        impl->command([&] { return impl->verdicts.fail(pool, span, impl->loop.now()); }, done);
    });
}

void Health::unfail(std::string pool, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), done = std::move(done)] {
        impl->command([&] { return impl->verdicts.unfail(pool); }, done);
    });
}

void Health::drain(std::string pool, std::string address, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), address = std::move(address),
                      done = std::move(done)] {
        impl->command([&] { return impl->verdicts.drain(pool, address); }, done);
    });
}

void Health::undrain(std::string pool, std::string address, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), address = std::move(address),
                      done = std::move(done)] {
        impl->command([&] { return impl->verdicts.undrain(pool, address); }, done);
    });
}

void Health::scale(std::string pool, ScaleWish wish, Done done) {
    impl_->loop.post([impl = impl_.get(), pool = std::move(pool), wish, done = std::move(done)] {
        impl->command([&] { return impl->verdicts.scale(pool, wish); }, done);
    });
}

}  // namespace scrollgate
