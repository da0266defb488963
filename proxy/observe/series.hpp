// The counters of one series on one worker, and the directory that finds them by index.
//
// One worker writes, the control thread reads: relaxed loads and stores, no locked instruction.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/grpc.hpp"
#include "proxy/observe/exchange_record.hpp"

namespace scrollgate {

/// A number with one writer.
class Count {
  public:
    void add(std::uint64_t by = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Durations by upper bound; the last bucket has none.
struct DurationHistogram {
    static constexpr std::array<std::int64_t, 15> bounds_us{
        500,     1'000,   2'500,     5'000,     10'000,    25'000,     50'000,    100'000,
        250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000};

    void add(Duration took) noexcept {
        const std::int64_t ns = took.count() > 0 ? took.count() : 0;
        std::size_t i = 0;
        while (i < bounds_us.size() && ns > bounds_us[i] * 1000)
            ++i;
        buckets[i].add();
        sum_ns.add(static_cast<std::uint64_t>(ns));
    }

    std::array<Count, bounds_us.size() + 1> buckets;
    Count sum_ns;
};

/// Status codes that one route has sent: a handful, so a short row that is searched. What does not
/// fit is counted by class, which bounds the cardinality whatever an origin answers.
class CodeCounts {
  public:
    static constexpr std::size_t named = 16;

    void add(std::uint16_t code) noexcept {
        for (Named& slot : named_) {
            const std::uint16_t known = slot.code.load(std::memory_order_relaxed);
            if (known == code) return slot.count.add();
            if (known == 0) {
                slot.count.add();
                slot.code.store(code, std::memory_order_release);
                return;
            }
        }
        classes_[code / 100U % classes_.size()].add();
    }

    /// Calls visit(code, count), then visit_class(hundreds, count) for what did not fit.
    template <class Visit, class VisitClass>
    void each(Visit visit, VisitClass visit_class) const {
        for (const Named& slot : named_) {
            const std::uint16_t code = slot.code.load(std::memory_order_acquire);
            if (code != 0) visit(code, slot.count.get());
        }
        for (std::size_t i = 0; i < classes_.size(); ++i) {
            if (classes_[i].get() > 0) visit_class(i, classes_[i].get());
        }
    }

  private:
    struct Named {
        std::atomic<std::uint16_t> code{0};
        Count count;
    };
    std::array<Named, named> named_;
    std::array<Count, 10> classes_;
};

struct RouteCell {
    CodeCounts codes;
    DurationHistogram duration;
    Count requests, retries, bytes_in, bytes_out;
    Count hedges_won, hedges_lost;
    std::array<Count, cache_results> cache;        ///< by CacheResult
    std::array<Count, cache_results> cache_bytes;  ///< of the answers
    Count collapsed;
    Count fills, fills_failed;  ///< background exchanges of the cache
    std::array<Count, grpc::statuses> grpc;
};

struct PoolCell {
    std::array<Count, error_kinds + 1> outcomes;  ///< 0 = ok, then by ErrorKind
    DurationHistogram duration;
};

/// Cells by index. The worker makes a block of them when it first needs one; nothing ever moves.
template <class Cell>
class CellTable {
  public:
    static constexpr std::size_t block = 32, blocks = 2048;
    static constexpr std::size_t capacity = block * blocks;

    CellTable() = default;
    CellTable(const CellTable&) = delete;
    CellTable& operator=(const CellTable&) = delete;
    ~CellTable() {
        for (auto& made : blocks_)
            delete made.load(std::memory_order_relaxed);
    }

    /// The worker's: the cell, or nullptr when memory is out.
    [[nodiscard]] Cell* at(std::size_t index) noexcept {
        std::atomic<Block*>& slot = blocks_[index / block];
        Block* made = slot.load(std::memory_order_relaxed);
        if (made == nullptr) [[unlikely]] {
            made = new (std::nothrow) Block;
            if (made == nullptr) return nullptr;
            slot.store(made, std::memory_order_release);
        }
        return &(*made)[index % block];
    }
    /// The reader's: the cell, or nullptr when nothing was counted.
    [[nodiscard]] const Cell* find(std::size_t index) const noexcept {
        const Block* made = blocks_[index / block].load(std::memory_order_acquire);
        return made != nullptr ? &(*made)[index % block] : nullptr;
    }

  private:
    using Block = std::array<Cell, block>;
    std::array<std::atomic<Block*>, blocks> blocks_{};
};

}  // namespace scrollgate
