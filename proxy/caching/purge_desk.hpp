// PurgeDesk: purges that operators ask for, and the sweep that gives memory back.
//
// A purge takes effect when ask() returns; the sweep goes on in slices of limits::sweep_slice
// entries, each a turn of the control thread, so that nothing waits long, neither hits nor the
// admin API. Whoever asked is told the number of objects when all is swept. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "cache/store/store.hpp"
#include "core/net/alarm.hpp"

namespace scrollgate {

class PurgeDesk {
  public:
    using Done = std::function<void(std::uint64_t objects)>;

    /// Both outlive it; the alarm is its own.
    PurgeDesk(CacheStore& store, Alarm& alarm) : store_(store), alarm_(alarm) {}

    /// All of `purges`; `done` is told how many objects they covered together. False: too many are
    /// under way; some may have been done all the same, and `done` is not called.
    [[nodiscard]] bool ask(const std::vector<Purge>& purges, Done done);
    /// Sweeps what others (unsafe requests) have purged; about once per second.
    void look();

  private:
    struct Waiting {
        std::vector<std::uint64_t> numbers;  ///< of its purges that are not swept yet
        std::uint64_t objects = 0;
        Done done;
    };

    void sweep_in(Duration span);
    void sweep();
    void tell();

    CacheStore& store_;
    Alarm& alarm_;
    std::vector<Waiting> waiting_;
    bool sweeping_ = false;
};

}  // namespace scrollgate
