// PurgeDesk: purges that operators ask for, and the sweep that gives memory back.
//
// A purge takes effect when ask() returns; the sweep goes on in slices of limits::sweep_slice
// entries, each a turn of the control thread, so that nothing waits long, neither hits nor the
// admin API. Whoever asked is told the numbers when all is swept here, and the fleet has made and
// counted it, or has had its time. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cache/store/store.hpp"
#include "core/net/alarm.hpp"

namespace scrollgate {

class Fleet;

class PurgeDesk {
  public:
    /// `nodes` have made it, this one included, and have given back `objects` together.
    using Done = std::function<void(std::uint64_t objects, std::size_t nodes)>;

    /// All outlive it; the alarm is its own. `fleet` may be null.
    PurgeDesk(CacheStore& store, Alarm& alarm, Fleet* fleet)
        : store_(store), alarm_(alarm), fleet_(fleet) {}

    /// All of `purges`; `done` is told how many objects they covered together. False: too many are
    /// under way; some may have been done all the same, and `done` is not called.
    [[nodiscard]] bool ask(const std::vector<Purge>& purges, Done done);
    /// Sweeps what others (unsafe requests) have purged; about once per second.
    void look();

  private:
    /// What the fleet has said by now.
    struct Confirmed {
        std::size_t missing = 0;  ///< purges of which it is not known yet
        std::size_t nodes = SIZE_MAX;
        std::uint64_t objects = 0;  ///< of the others
    };
    struct Waiting {
        std::vector<std::uint64_t> numbers;  ///< of its purges that are not swept yet
        std::uint64_t objects = 0;
        std::shared_ptr<Confirmed> confirmed = std::make_shared<Confirmed>();
        Done done;
    };

    [[nodiscard]] std::optional<std::uint64_t> make(const Purge& purge, Waiting& waiting);
    void sweep_in(Duration span);
    void sweep();
    void tell();

    CacheStore& store_;
    Alarm& alarm_;
    Fleet* const fleet_;
    std::vector<Waiting> waiting_;
    bool sweeping_ = false;
};

}  // namespace scrollgate
