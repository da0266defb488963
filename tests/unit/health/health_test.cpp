// Health with its thread: what is posted happens in order, and it ends whatever is under way.
#include "health/health.hpp"

#include <atomic>
#include <future>
#include <thread>

#include <doctest/doctest.h>

#include "balancer/report.hpp"

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

/// A dialer whose connections never come to an end by themselves.
struct Stuck final : Dialer {
    struct Silent final : Stream {
        explicit Silent(EventLoop& of) : loop(of) {}
        void start_connect(const SocketAddress&, IoHandler& handler) override { waits = &handler; }
        void start_read(std::span<char>, IoHandler&) override {}
        void start_wait_readable(IoHandler&) override {}
        void cancel_read() noexcept override {}
        bool quiet() noexcept override { return true; }
        IoResult try_write(std::span<const iovec>) noexcept override { return {}; }
        void start_wait_writable(IoHandler&) override {}
        void shutdown_write() noexcept override {}
        void close(bool) noexcept override {
            open = false;
            if (IoHandler* handler = std::exchange(waits, nullptr)) {
                loop.complete_later(*handler, {0, boost::system::errc::make_error_code(
                                                      boost::system::errc::operation_canceled)});
            }
        }
        bool is_open() const noexcept override { return open; }

        EventLoop& loop;
        IoHandler* waits = nullptr;
        bool open = true;
    };
    std::unique_ptr<Stream> open(EventLoop& loop, const DialPlan&) override {
        asked.release_once();
        return std::make_unique<Silent>(loop);
    }
    struct Once {
        void release_once() {
            if (!done.exchange(true)) promise.set_value();
        }
        std::atomic<bool> done{false};
        std::promise<void> promise;
    } asked;
};

/// The machine's clock, and how far we are ahead of it.
struct FastClock final : Clock {
    TimePoint now() const noexcept override { return system_clock().now() + ahead.load(); }
    WallTime wall() const noexcept override { return system_clock().wall(); }
    std::atomic<Duration> ahead{Duration::zero()};
};

struct Lab {
    Lab() {
        config::Pool pool;
        pool.name = "a";
        config::Route route;
        route.pools.push_back({"a", 1, 0, {}});
        config.pools.push_back(pool);
        config.routes.push_back(route);
        auto made = std::make_shared<EndpointSet>();
        for (const char* ip : {"192.0.2.1", "192.0.2.2"}) {
            const SocketAddress address = *SocketAddress::from_ip(ip, 80);
            made->push_back(
                std::make_shared<const Endpoint>(Endpoint{"a",
                                                          "other",
                                                          "",
                                                          "",
                                                          ip,
                                                          80,
                                                          address,
                                                          address.text(),
                                                          1,
                                                          false,
                                                          {},
                                                          registry.state_of("a", address),
                                                          registry.state_of("a")}));
        }
        sets["a"] = made;
        set = made;
        health.start();
    }
    void update() { health.update(std::make_shared<const config::Config>(config), sets); }
    using Answer = std::pair<std::string, std::shared_ptr<const HealthStatus>>;
    /// Runs a command and waits for what came of it.
    template <class Command>
    Answer ask(Command&& command) {
        auto promise = std::make_shared<std::promise<Answer>>();
        command([promise](std::string refused, std::shared_ptr<const HealthStatus> status) {
            promise->set_value({std::move(refused), std::move(status)});
        });
        return promise->get_future().get();
    }

    EndpointRegistry registry;
    config::Config config;
    PoolSets sets;
    std::shared_ptr<const EndpointSet> set;
    Stuck dialer;
    FastClock clock;
    Health health{clock, dialer, [](const std::string&, auto) {}};
};

}  // namespace

TEST_CASE("commands are answered with the status that shows them") {
    Lab lab;
    CHECK(lab.health.status() != nullptr);
    lab.update();
    const auto failed = lab.ask([&](auto done) { lab.health.fail("a", 30s, done); });
    CHECK(failed.first == "");
    REQUIRE(failed.second->pool("a") != nullptr);
    CHECK(failed.second->pool("a")->state == "failed");
    CHECK(lab.set->front()->state->standing == Standing::failed);
    CHECK(lab.health.status()->pool("a")->state == "failed");
    CHECK(lab.ask([&](auto done) { lab.health.unfail("a", done); }).first == "");
    CHECK(lab.ask([&](auto done) { lab.health.unfail("a", done); }).first != "");
    CHECK(lab.ask([&](auto done) { lab.health.drain("a", "192.0.2.1:80", done); }).first == "");
    CHECK(lab.set->front()->state->standing == Standing::drained);
    CHECK(lab.ask([&](auto done) { lab.health.undrain("a", "192.0.2.1:80", done); }).first == "");
    const auto scaled =
        lab.ask([&](auto done) { lab.health.scale("", {.factor = 2.0, .active = {}}, done); });
    CHECK(scaled.second->pool("a")->scale.wanted == 4);
    CHECK(scaled.second->pool("a")->scale.pending == 2);
}

TEST_CASE("the bell makes it look, and stirring wakes it") {
    Lab lab;
    lab.update();
    EndpointState& state = *lab.set->front()->state;
    static_cast<void>(report(state, AttemptEnd::refused, 1ms, system_clock().now()));
    CHECK(report(state, AttemptEnd::refused, 1ms, system_clock().now()));
    lab.health.ring();
    lab.health.ring();
    lab.health.stir();
    // Posted behind the bell: that look has been, or this one is it.
    static_cast<void>(lab.ask([&](auto done) { lab.health.unfail("a", done); }));
    CHECK(state.standing == Standing::ejected);
    CHECK(state.ejections == 1);
}

TEST_CASE("it ends at once while checks, dependencies and webhooks hang") {
    Lab lab;
    lab.config.pools[0].health_check.emplace().tcp = true;
    lab.config.pools[0].health_check->interval = 20ms;
    lab.config.pools[0].health_check->timeout = 1h;
    config::Dependency dependency;
    dependency.url = "tcp://192.0.2.9:1";
    dependency.host = "192.0.2.9";
    dependency.port = 1;
    lab.config.pools[0].depends_on = {dependency, dependency};  // one prober all the same
    lab.config.pools[0].webhook.emplace().host = "192.0.2.9";
    lab.update();
    static_cast<void>(
        lab.ask([&](auto done) { lab.health.scale("a", {.factor = {}, .active = 9}, done); }));
    lab.dialer.asked.promise.get_future().wait();
    lab.update();  // reloads meanwhile
    lab.update();
    lab.config.pools[0].health_check.reset();
    lab.update();
    lab.health.stop();
    lab.health.stop();
}

TEST_CASE("what comes when it has been stopped begins nothing") {
    Lab lab;
    lab.config.pools[0].health_check.emplace().tcp = true;
    lab.config.pools[0].webhook.emplace().host = "192.0.2.9";
    const auto config = std::make_shared<const config::Config>(lab.config);
    for (int i = 0; i < 20; ++i) {
        Health health(system_clock(), lab.dialer, [](const std::string&, auto) {});
        health.update(config, lab.sets);
        health.scale("a", {.factor = {}, .active = 9}, {});
        health.start();
        health.stop();  // mostly before its loop has begun
    }
}

TEST_CASE("a webhook hears nothing of names that come in at the start, and of changes later") {
    Lab lab;
    config::Pool& pool = lab.config.pools[0];
    pool.endpoints = {{"a.test:80", "a.test", 80, 1, ""}, {"b.test:80", "b.test", 80, 1, ""}};
    pool.webhook.emplace().host = "192.0.2.9";
    const auto answer = [&](std::initializer_list<const char*> names) {
        auto made = std::make_shared<EndpointSet>();
        for (const char* name : names) {
            auto one = std::make_shared<Endpoint>(*lab.set->front());
            one->name = name;
            one->address =
                *SocketAddress::from_ip("192.0.2." + std::to_string(made->size() + 1), 80);
            one->text = one->address.text();
            one->state = lab.registry.state_of("a", one->address);
            made->push_back(std::move(one));
        }
        lab.sets["a"] = made;
        lab.update();
        // What it would tell it has begun to tell by then: twice through the loop.
        for (int i = 0; i < 2; ++i)
            static_cast<void>(lab.ask([&](auto done) { lab.health.unfail("a", done); }));
    };
    answer({});
    answer({"a.test"});
    answer({"a.test", "b.test", "b.test"});
    CHECK_FALSE(lab.dialer.asked.done);
    answer({"a.test", "b.test"});
    CHECK(lab.dialer.asked.done);
}

TEST_CASE("a word that is old makes it look, for the next one that asks") {
    Lab lab;
    lab.update();
    static_cast<void>(lab.ask([&](auto done) { lab.health.unfail("a", done); }));
    // An hour without anything: the look of this command is the last, and it sleeps.
    lab.clock.ahead = 1h;
    static_cast<void>(lab.ask([&](auto done) { lab.health.unfail("a", done); }));
    const auto first = lab.health.status();
    lab.clock.ahead = 2h;
    while (lab.health.status() == first)
        std::this_thread::yield();
    CHECK(*lab.health.status()->availability.hour == 1);
}
