// Tier: the second tier of the cache, in Redis, as one worker uses it (decision 24).
//
// On a miss in memory the leader of a fill asks it, within the client's deadline; what is found is
// stored in memory as a fill's response would be, and answers from there. What a fill has brought
// is written behind the answer. Nothing here is needed for a correct answer, and whatever goes
// wrong is a miss and a count. One worker, but for TierState, which all share.
#pragma once

#include <memory>
#include <string>

#include "cache/entry.hpp"
#include "cache/key.hpp"
#include "cache/redis/client.hpp"
#include "cache/store/store.hpp"
#include "cache/tier/counts.hpp"
#include "cache/tier/dictionaries.hpp"
#include "cache/tier/lease_waits.hpp"
#include "cache/tier/names.hpp"
#include "cache/tier/positions.hpp"
#include "cache/tier/record.hpp"
#include "core/task.hpp"

namespace scrollgate::tier {

/// What all workers share. Any thread.
struct TierState {
    TierState(CacheStore& its_store, const config::Redis& config)
        : store(its_store),
          prefix(config.prefix),
          freed(name_of_freed(prefix, config.url ? config.url->database : config.database)),
          max_object(config.max_object),
          positions(its_store),
          dictionaries(its_store),
          waits(counts) {}

    CacheStore& store;
    const std::string prefix;
    const std::string freed;  ///< the channel for those who wait for leases
    const std::uint64_t max_object;
    Positions positions;
    Dictionaries dictionaries;
    Counts counts;
    LeaseWaits waits;
    /// Bytes of the longest body that comes into memory: cache.max_object, which a reload changes.
    std::atomic<std::uint64_t> longest{limits::cache_object};
    std::atomic<std::size_t> nodes{1};     ///< of the fleet that live, this one included
    std::atomic<bool> log_refuses{false};  ///< Redis answers reads of the log with errors
};

/// What asking for a key gave.
struct TierFound {
    enum class Kind : std::uint8_t {
        nothing,
        entry,   ///< `entry`, in the store since now; fresh or not
        marker,  ///< its responses cannot be shared at present; the store knows
    };
    Kind kind = Kind::nothing;
    EntryRef entry;
    bool answered = false;  ///< Redis has said so…
    bool absent = false;    ///< …and that it has nothing of that name
};

class Tier {
  public:
    /// All outlive it. `loop` is the client's.
    Tier(TierState& state, redis::Client& client, EventLoop& loop)
        : state_(state), client_(client), loop_(loop) {}
    /// The client has been destroyed before.
    ~Tier() { *alive_ = false; }
    Tier(const Tier&) = delete;
    Tier& operator=(const Tier&) = delete;

    /// The client is about to be destroyed: nothing is asked or written any more.
    void stop() noexcept { stopped_ = true; }

    /// Redis answers, and the purge log is followed: asking is worth while. Else it costs nothing.
    [[nodiscard]] bool asks() const noexcept;
    /// What `request` (prepared, as a fill sends it) would get for `key`, if it is younger than
    /// `known` (null: nothing is). All outlive the task. An answer after `until` is none.
    [[nodiscard]] Task<TierFound> find(const CacheKey& key, const HeaderList& request,
                                       const CacheEntry* known, TimePoint until);
    /// For what is asked now: the client's timeout from now.
    [[nodiscard]] TimePoint deadline() const noexcept { return client_.deadline(); }

    /// Who asks the origin for a key, of the whole fleet. An optimisation: whoever gets no answer
    /// goes on.
    enum class Lease : std::uint8_t {
        ours,    ///< to be given back by return_lease()
        others,  ///< another node is on its way
        unknown,
    };
    struct Leased {
        Lease lease = Lease::unknown;
        TierFound found;
    };
    /// Asks for the lease of one variant, if it is known which (Fill::variant()), and in the same
    /// round trip looks as find() does: who had it before may have written since the last look.
    /// `token` is another one each time: nobody else's lease is given back with it. `waits`: while
    /// others have it, whoever asks is to be told when they give it back (LeaseWait).
    [[nodiscard]] Task<Leased> take_lease(const CacheKey& key, std::string_view variant,
                                          const HeaderList& request, const CacheEntry* known,
                                          std::uint64_t token, bool waits, TimePoint until);
    /// Of the lease that take_lease() asks for, to be told of: begins before `waits` is said.
    [[nodiscard]] Hash128 lease_digest(const CacheKey& key, std::string_view variant) const;
    /// Behind what was written for the key before, which those who wait will find.
    void return_lease(const CacheKey& key, std::string_view variant, std::uint64_t token);

    /// Positions::followed(): to be noted before the origin is asked. 0: what comes is not written.
    [[nodiscard]] Position position() const noexcept;
    /// Writes `entry`, which is in the store, behind all that is asked. `position` is as above.
    /// `alone`: no other node has asked the origin meanwhile; else a younger response that is there
    /// stays.
    void put(const CacheEntry& entry, Position position, bool alone);
    /// A hit-for-miss for `key`, where nothing else is.
    void put_marker(const CacheKey& key, Position position);

    [[nodiscard]] TierState& state() noexcept { return state_; }
    /// To be taught to the client before it starts.
    [[nodiscard]] static const redis::Script& tag_script();
    [[nodiscard]] static const redis::Script& put_script();
    [[nodiscard]] static const redis::Script& names_script();
    [[nodiscard]] static const redis::Script& take_script();
    [[nodiscard]] static const redis::Script& return_script();

  private:
    /// What one answer of Redis is.
    enum class Look : std::uint8_t { nothing, response, marker, variants };

    [[nodiscard]] Look look(const Result<redis::Reply>& reply, std::string_view key,
                            Record& into) const;
    [[nodiscard]] Task<TierFound> judge(Result<redis::Reply> reply, const CacheKey& key,
                                        const HeaderList& request, const CacheEntry* known,
                                        TimePoint until);
    [[nodiscard]] bool may_mark(const CacheKey& key, const HeaderList& request) const noexcept;
    [[nodiscard]] TierFound take(const Record& record, const CacheEntry* known);
    [[nodiscard]] bool is_younger(const Record& record, const CacheEntry& known) const;
    [[nodiscard]] BodyRef body_of(const Record& record);
    void fetch_dictionary(const Hash128& name);
    void say_dictionary(const DictionaryRef& dictionary);
    [[nodiscard]] Task<void> read_dictionary(Hash128 name);
    [[nodiscard]] Task<void> write_dictionary(DictionaryRef dictionary);
    [[nodiscard]] BodyRef portable(const CacheEntry& entry, std::int64_t left_ms);
    /// What is written over; `names`: anything, but names of variants keep their longer life.
    enum class Over : std::uint8_t { anything, nothing, older, names };
    bool write(std::string_view name, const Record& record, std::int64_t left_ms, Over over);
    void index_tags(const CacheEntry& entry, std::string_view name, std::int64_t left_ms);

    TierState& state_;
    redis::Client& client_;
    EventLoop& loop_;
    bool stopped_ = false;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for what is behind
};

}  // namespace scrollgate::tier
