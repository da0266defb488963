// Dictionaries: those that bodies in Redis need, by their name: of this process's own, which of
// them others can find there; and of others, what has been fetched. Bounded by
// limits::tier_dictionaries; the one that was added first goes. Any thread; a mutex for a look-up.
#pragma once

#include <deque>
#include <mutex>
#include <string>

#include "cache/store/store.hpp"
#include "core/clock.hpp"

namespace scrollgate::tier {

class Dictionaries {
  public:
    /// The store, to which they are charged, outlives it.
    explicit Dictionaries(CacheStore& store) noexcept : store_(store) {}

    /// Null: it is not at hand.
    [[nodiscard]] DictionaryRef find(const Hash128& name) const;
    /// `text`, whose hash128() is its name, has been read. False: there is no room for it.
    bool add(std::string text);
    /// Whether others find it in Redis.
    enum class There : std::uint8_t {
        no,        ///< perhaps not
        yes,       ///< they do
        doubtful,  ///< they did a while ago: to be written again, for Redis may have lost it
    };
    [[nodiscard]] There there(const Hash128& name, TimePoint now) const;
    /// To be written, or fetched, by the caller, who calls done(); false: somebody does so.
    [[nodiscard]] bool begin(const Hash128& name);
    void done(const Hash128& name);
    /// It was written at `now`; zero: it could not be.
    void said(const DictionaryRef& dictionary, TimePoint now);

  private:
    struct One {
        DictionaryRef dictionary;
        TimePoint said{};  ///< zero: not by us
    };
    void keep(One one);

    CacheStore& store_;
    mutable std::mutex mutex_;
    std::deque<One> known_;
    std::deque<Hash128> busy_;
};

}  // namespace scrollgate::tier
