#include "cache/store/ledger.hpp"

namespace scrollgate {

bool Ledger::charge(std::size_t bytes) noexcept {
    std::uint64_t used = used_.load(std::memory_order_relaxed);
    do {
        const std::uint64_t most = capacity();
        if (used > most || bytes > most - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
}

}  // namespace scrollgate
