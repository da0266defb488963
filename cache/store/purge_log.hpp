// PurgeLog: the purges that something may still have to be compared with.
//
// Each has a number. An entry knows up to which number it has been compared (CacheEntry::checked),
// a fill the number when it began; a later purge that covers it takes it out. URLs, tags and
// prefixes are looked up in tables, so a comparison costs the same whatever number of purges there
// is; prefixes cost one look-up for each length that is in use.
//
// A purge is dropped when the sweep has been everywhere for it and no fill is under way that began
// before it. If there are too many, or their texts are too long, those that are swept are dropped
// earlier; then older fills can not be compared any more, and what they bring is not stored. No
// call drops more than a few, for all of them hold the mutex, which is taken after a shard's. What
// the log needs is charged. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/entry.hpp"
#include "cache/purge.hpp"
#include "cache/store/key_place.hpp"
#include "cache/store/ledger.hpp"
#include "cache/store/tag_index.hpp"

namespace scrollgate {

class PurgeLog {
  public:
    /// What covers something, and which purge counts it. Hard wins over soft, then the first.
    struct Covered {
        enum How : std::uint8_t { not_at_all, soft, hard };
        How how = not_at_all;
        std::uint64_t number = 0;
    };
    /// A purge that is not swept yet.
    struct Task {
        std::uint64_t number;
        Purge::By by;
        std::string what;
    };

    /// The ledger outlives it.
    explicit PurgeLog(Ledger& ledger) noexcept : ledger_(ledger) {}
    ~PurgeLog() { ledger_.release(bytes_); }
    PurgeLog(const PurgeLog&) = delete;
    PurgeLog& operator=(const PurgeLog&) = delete;

    /// The number of the last purge. In one order with all that the store counts (Shard::put()).
    [[nodiscard]] std::uint64_t position() const noexcept { return position_.load(); }
    /// The number of the last purge that what is in the store must be compared with; `chosen`: of
    /// a key with chosen lines.
    [[nodiscard]] std::uint64_t unswept(bool chosen) const noexcept {
        const std::uint64_t all = unswept_.load(std::memory_order_acquire);
        return chosen ? std::max(all, unswept_chosen_.load(std::memory_order_acquire)) : all;
    }

    /// From now on it counts. It is to be swept; one of a URL only once the caller says so by
    /// compare_chosen(), after it has compared what stands in the URL's chain: until then it is
    /// kept. Nothing: as many as limits::purge_rules and purge_bytes allow are not swept.
    [[nodiscard]] std::optional<std::uint64_t> add(const Purge& purge);
    /// Entries must be compared with it until it is swept.
    void compare_entries(std::uint64_t number) noexcept;
    /// A URL's: to be swept, and those whose key has chosen lines must be compared with it.
    void compare_chosen(std::uint64_t number);
    /// Of the purges after `since`, the one that covers an entry, whose place is known.
    [[nodiscard]] Covered covers(const CacheEntry& entry, const KeyPlace& place,
                                 std::uint64_t since) const;
    /// Some purge after `since` covers a key, or may do so, for its tags are not known.
    [[nodiscard]] bool may_cover(const KeyPlace& place, std::uint64_t since) const;
    /// Purges after `since` may have been dropped: what is older cannot be compared.
    [[nodiscard]] bool forgotten(std::uint64_t since) const;

    void count(std::uint64_t number);
    [[nodiscard]] std::optional<std::uint64_t> counted(std::uint64_t number) const;

    /// The oldest that is not swept, by tag; nothing if there is none.
    [[nodiscard]] std::optional<Task> next_tag() const;
    /// Those others that are not swept: the last number (0: none), and whether all need every
    /// entry, or only those with chosen lines (URLs).
    struct Pass {
        std::uint64_t until = 0;
        bool chosen_only = true;
    };
    [[nodiscard]] Pass next_pass() const;
    void swept(std::uint64_t number);
    void swept_until(std::uint64_t number);  ///< all that next_pass() told of
    void drop_some();                        ///< that no fill can need any more

    void fill_began(std::uint64_t position);
    void fill_ended(std::uint64_t position);
    /// Purges that are kept.
    [[nodiscard]] std::size_t size() const;

  private:
    struct Mark {
        std::uint64_t number;
        bool soft;
        std::string scheme;
    };
    using Marks = std::vector<Mark>;  // in the order of numbers
    using Table = std::unordered_map<std::string, Marks, TextHash, std::equal_to<>>;
    struct Rule {
        Purge::By by;
        bool counted;
        std::string_view what;  // its table's key
        bool swept = false;
    };
    using Rules = std::map<std::uint64_t, Rule>;

    [[nodiscard]] Table& table(Purge::By by) noexcept;
    static void see(Covered& covered, const Marks* marks, std::string_view scheme,
                    std::uint64_t since) noexcept;
    static const Marks* find(const Table& table, std::string_view what) noexcept;
    void see_place(Covered& covered, const KeyPlace& place, std::uint64_t since) const;
    [[nodiscard]] bool make_place(std::size_t bytes);
    void supersede(Marks& marks, const Purge& purge);
    void give_back(Rules::iterator rule);
    void finish(Rules::iterator rule);
    void drop_old();
    void drop(Rules::iterator rule);
    void forget_counts();

    Ledger& ledger_;
    mutable std::mutex mutex_;
    std::atomic<std::uint64_t> position_{0};
    std::atomic<std::uint64_t> unswept_{0}, unswept_chosen_{0};
    Rules rules_;
    std::map<std::uint64_t, bool> unswept_tags_, unswept_others_;  // others: needs every entry
    Table urls_, prefixes_, tags_;
    Marks all_;
    std::map<std::size_t, std::size_t> lengths_;  // of prefixes, and how many have it
    std::size_t bytes_ = 0;                       // of all rules
    std::uint64_t last_tag_ = 0;
    std::uint64_t forgotten_ = 0;
    std::map<std::uint64_t, std::size_t> fills_;  // position, how many
    std::map<std::uint64_t, std::uint64_t> counts_;
};

}  // namespace scrollgate
