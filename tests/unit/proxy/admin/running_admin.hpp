// An AdminServer on a thread of its own, with hooks that a test may set.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "config/loader.hpp"
#include "core/http1/beast_client.hpp"
#include "proxy/admin/admin_server.hpp"
#include "proxy/caching/cache_desk.hpp"
#include "tests/unit/proxy/admin/temporary_folder.hpp"

namespace scrollgate::test {

/// A desk over a store of its own; what it fetches is said to be stored, and is not.
class PlayedDesk {
  public:
    explicit PlayedDesk(boost::asio::io_context& context)
        : snapshot_(
              std::make_shared<const Snapshot>(1, configuration(), "edge", WallTime{}, metrics_)),
          desk(system_clock(), cache, hooks(context)) {
        cache.store.configure(snapshot_->config->cache);
    }

  private:
    static std::shared_ptr<const config::Config> configuration() {
        config::Loaded loaded = config::load_text(
            "listeners: [ { address: 127.0.0.1:0 } ]\n"
            "pools: { main: { endpoints: [ \"127.0.0.1:1\" ] } }\n"
            "routes:\n"
            "  - { name: plain, match: { host: plain.test }, pools: [ main ] }\n"
            "  - { name: all, pools: [ main ], cache: { enabled: true, entries: true } }\n");
        return std::make_shared<const config::Config>(std::move(loaded.config));
    }
    CacheDesk::Hooks hooks(boost::asio::io_context& context) {
        const auto later = [&context](std::function<void()> call) {
            boost::asio::post(context, std::move(call));
        };
        return {[this] { return snapshot_; },
                [later](const FillOrder&, WarmJobs::Ended ended) {
                    later([ended = std::move(ended)] { ended({true, true, ""}); });
                },
                later, [&context] { return std::make_unique<AsioAlarm>(context); }};
    }

    Metrics metrics_{1};
    std::shared_ptr<const Snapshot> snapshot_;

  public:
    ResponseCache cache{system_clock()};
    CacheDesk desk;
};

/// What health would answer, and what it was asked.
struct Played {
    std::vector<PoolCommand> commands;
    HealthStatus health;
    std::string refuse;
};

class RunningAdmin {
  public:
    explicit RunningAdmin(ReloadAnswer reload = {}, bool ready = true) {
        config::Admin admin;
        admin.address = "127.0.0.1:0";
        admin.bind = *SocketAddress::from_ip("127.0.0.1", 0);
        admin.token_file = token_file();
        admin.probes = admin.bind;
        AdminHooks hooks;
        hooks.status = [] {
            Status status;
            status.version = "0.1.0";
            status.node = "edge";
            return status;
        };
        hooks.reload = [this, reload](std::function<void(ReloadAnswer)> answer) {
            boost::asio::post(context_, [reload, answer = std::move(answer)] { answer(reload); });
        };
        hooks.command = [this](PoolCommand asked, PoolCommandDone done) {
            boost::asio::post(context_, [this, asked = std::move(asked), done = std::move(done)] {
                play([&](Played& played) { played.commands.push_back(asked); });
                const Played now = played();
                done(now.refuse, now.health);
            });
        };
        hooks.metrics = [] { return std::string("up 1\n"); };
        hooks.ready = [ready] { return ready; };
        hooks.config = [] { return std::make_shared<const config::Config>(); };
        hooks.cache = [this]() -> CacheDesk& { return desk_->desk; };
        server_.emplace(context_, admin, std::move(hooks));
        error = server_->start();
        port = server_->port();
        probes_port = server_->probes_port();
        thread_ = std::thread([this] { context_.run(); });
    }
    ~RunningAdmin() {
        boost::asio::post(context_, [this] {
            server_.reset();
            desk_.reset();
            work_.reset();
        });
        thread_.join();
    }

    [[nodiscard]] std::string token_file() const { return folder_ / "token"; }
    [[nodiscard]] http1::ClientRequest request(std::string method, std::string target) const {
        http1::ClientRequest made;
        made.method = std::move(method);
        made.host = "127.0.0.1";
        made.port = port;
        made.target = std::move(target);
        return made;
    }

    /// The hook for commands plays on the server's thread; the test looks and changes from its own.
    [[nodiscard]] Played played() const {
        const std::lock_guard lock(mutex_);
        return played_;
    }
    void play(const auto& change) {
        const std::lock_guard lock(mutex_);
        change(played_);
    }

    std::string error;
    std::uint16_t port = 0, probes_port = 0;

  private:
    mutable std::mutex mutex_;
    Played played_;  ///< under mutex_
    TemporaryFolder folder_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        context_.get_executor()};
    std::optional<PlayedDesk> desk_{std::in_place, context_};
    std::optional<AdminServer> server_;
    std::thread thread_;
};

}  // namespace scrollgate::test
