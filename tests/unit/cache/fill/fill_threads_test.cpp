// Fills across real threads: several workers with their own loops, thousands of readers, and
// everything that may happen to a fill at once. Meant for ThreadSanitizer as much as for its
// checks.

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "cache/fill/fill_table.hpp"
#include "core/limits.hpp"
#include "core/rng.hpp"
#include "tests/unit/cache/fill/follower.hpp"

namespace scrollgate {
namespace {

using namespace testing;

constexpr std::size_t workers = 4;
constexpr std::size_t body_size = 3 * limits::cache_block + 1234;

/// What a client and its fill do, drawn by lot.
struct Fate {
    std::size_t client_leaves = limits::unlimited;  ///< after so many bytes
    std::size_t origin_breaks = limits::unlimited;
    bool is_private = false;
    bool outgrows = false;
};

struct Scene {
    Scene() { store.configure(config::Cache()); }

    CacheStore store{system_clock()};
    FillTable table{store};
    const std::string body = body_of(body_size);
    std::atomic<std::size_t> running = 0, led = 0, whole = 0, found = 0, broken = 0, away = 0;
    std::atomic<bool> wrong = false;  ///< some byte was not the one that stands there
};

/// A request: joins or leads, and reads; a leader's fill runs beside it, and is joined at the end.
class Client {
  public:
    Client(Scene& scene, EventLoop& loop, const CacheKey& key, const Fate& fate)
        : scene_(scene), loop_(loop), key_(key), fate_(fate) {}
    void start() { child_.start(run()); }

  private:
    Task<void> run() {
        const HeaderList request;
        FillTable::Joined joined = scene_.table.join_or_lead(key_, request, {});
        if (joined.entry != nullptr) ++scene_.found;
        if (joined.leads) {
            ++scene_.led;
            co_await lead(joined.fill);
        } else if (joined.fill != nullptr) {
            co_await read(std::move(joined.fill));
        }
        if (--scene_.running == 0) scene_.running.notify_all();
    }

    Task<void> lead(FillRef fill) {
        Child writing;
        fill->begin(loop_);
        {
            FillReader reader(fill, loop_);
            writing.start(write(fill));
            co_await read_from(reader, true);
        }
        co_await writing.join();
    }

    Task<void> read(FillRef fill) {
        FillReader reader(std::move(fill), loop_);
        co_await read_from(reader, false);
    }

    Task<void> read_from(FillReader& reader, bool leads) {
        co_await reader.head(never);
        if (reader.missed()) {
            ++scene_.away;
            co_return;
        }
        const Fill& fill = reader.fill();
        if (fill.state() != Fill::State::failed && !fill.head().shared && !leads) {
            ++scene_.away;
            co_return;
        }
        while (!reader.at_end() && !reader.broken() && reader.position() < fate_.client_leaves) {
            co_await reader.more(never);
            const std::uint64_t from = reader.position();
            const std::string_view bytes = reader.take();
            if (bytes != std::string_view(scene_.body).substr(from, bytes.size())) {
                scene_.wrong = true;
            }
        }
        if (reader.at_end()) ++scene_.whole;
        if (reader.broken()) ++scene_.broken;
    }

    Task<void> write(FillRef fill) {
        co_await loop_.yield();
        FillHead head = fate_.is_private ? private_head() : shared_head(body_size);
        fill->head(head);
        if (head.shared) {
            fill->pack(std::make_unique<BodyPacker>(config::Cache::Compression::off, "", "",
                                                    DictionaryRef()));
        }
        bool good = true;
        for (std::size_t at = 0; at < body_size && good;) {
            const std::string_view bytes = std::string_view(scene_.body).substr(at, 5000);
            good = co_await fill->room();
            if (good) good = at < fate_.origin_breaks && fill->append(bytes);
            at += bytes.size();
            if (fate_.outgrows && at > body_size / 2) fill->outgrow(CacheReason::too_large);
            co_await loop_.yield();
        }
        if (good) {
            fill->complete(store(*fill));
        } else {
            fill->fail(Error{ErrorKind::upstream_truncated});
        }
        scene_.table.leave(*fill);
    }

    EntryRef store(Fill& fill) {
        EntryDraft draft;
        draft.body = fill.take_body();
        if (draft.body == nullptr) return {};
        const HeaderList fields;
        draft.key = key_.text;
        draft.fields = &fields;
        draft.freshness.received = system_clock().now();
        draft.freshness.lifetime = 60;
        draft.purge_position = fill.purge_position();
        return scene_.store.insert(draft).entry;
    }

    Scene& scene_;
    EventLoop& loop_;
    const CacheKey key_;
    const Fate fate_;
    Child child_;
};

class Worker {
  public:
    explicit Worker(std::uint64_t seed) : loop_(system_clock(), seed, limits::frequency) {
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Worker() {
        loop_.stop();
        thread_.join();
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void serve(Scene& scene, std::vector<CacheKey> keys, std::vector<Fate> fates) {
        loop_.post([this, &scene, keys = std::move(keys), fates = std::move(fates)] {
            for (std::size_t i = 0; i < keys.size(); ++i)
                clients_.emplace_back(scene, loop_, keys[i], fates[i]).start();
        });
    }

  private:
    EventLoop loop_;
    std::deque<Client> clients_;
    std::thread thread_;
};

void wait_for_all(Scene& scene) {
    for (std::size_t left = scene.running; left > 0; left = scene.running)
        scene.running.wait(left);
}

TEST_CASE("simultaneous misses on four workers make one request and all get the whole body") {
    Scene scene;
    std::deque<Worker> all;
    for (std::size_t i = 0; i < workers; ++i)
        all.emplace_back(i + 1);
    for (int round = 0; round < 20; ++round) {
        const CacheKey key = key_for("/" + std::to_string(round));
        constexpr std::size_t clients = 100;  // per worker
        scene.running = workers * clients;
        for (Worker& worker : all) {
            worker.serve(scene, std::vector<CacheKey>(clients, key), std::vector<Fate>(clients));
        }
        wait_for_all(scene);
        CHECK(scene.led == 1);
        CHECK(scene.broken == 0);
        // Who joined just before the end may have missed it, and would look again.
        CHECK(scene.whole + scene.found + scene.away == workers * clients);
        scene.led = scene.whole = scene.found = scene.away = 0;
    }
    CHECK_FALSE(scene.wrong);
    CHECK(scene.table.size() == 0);
    CHECK(scene.table.waiting() == 0);
}

TEST_CASE("whatever breaks, leaves, outgrows or is purged meanwhile, everybody comes to an end") {
    Scene scene;
    FastRng rng(7);
    const auto one_in = [&rng](std::uint64_t n) { return rng.below(n) == 0; };
    {
        std::deque<Worker> all;
        for (std::size_t i = 0; i < workers; ++i)
            all.emplace_back(i + 1);
        for (int round = 0; round < 25; ++round) {
            constexpr std::size_t clients = 60;
            scene.running = workers * clients;
            for (Worker& worker : all) {
                std::vector<CacheKey> keys;
                std::vector<Fate> fates(clients);
                for (Fate& fate : fates) {
                    keys.push_back(key_for("/" + std::to_string(rng.below(6))));
                    if (one_in(3)) fate.client_leaves = rng.below(body_size);
                    if (one_in(4)) fate.origin_breaks = rng.below(body_size);
                    fate.is_private = one_in(5);
                    fate.outgrows = one_in(5);
                }
                worker.serve(scene, std::move(keys), std::move(fates));
                const Purge everything;
                static_cast<void>(scene.store.purge(everything));
            }
            wait_for_all(scene);
            while (!scene.store.sweep(1000)) {
            }
        }
    }
    CHECK_FALSE(scene.wrong);
    CHECK(scene.table.size() == 0);
    CHECK(scene.led > 25);
    const Purge everything;
    static_cast<void>(scene.store.purge(everything));
    while (!scene.store.sweep(1000)) {
    }
    CHECK(scene.store.numbers().entries == 0);
}

}  // namespace
}  // namespace scrollgate
