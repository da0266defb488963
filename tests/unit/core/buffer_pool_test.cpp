// Receive buffers: order of reuse, exhaustion, and that what a burst used goes back to the kernel.
#include "core/buffer_pool.hpp"

#include <cstring>
#include <vector>

#include <doctest/doctest.h>
#include <sys/mman.h>

using namespace scrollgate;

namespace {

constexpr std::size_t page = 4096;

/// The first page of this buffer is in memory.
bool resident(const BufferLease& buffer) {
    unsigned char state = 0;
    REQUIRE(::mincore(buffer.data(), page, &state) == 0);
    return (state & 1) != 0;
}

}  // namespace

TEST_CASE("the buffer that came back last goes out first") {
    BufferPool pool(page, 8, 8);
    BufferLease a = pool.lease(), b = pool.lease(), c = pool.lease();
    const char* const at_a = a.data();
    const char* const at_b = b.data();
    a.release();
    b.release();
    CHECK(pool.lease().data() == at_b);  // and straight back
    const BufferLease again = pool.lease(), before = pool.lease();
    CHECK(again.data() == at_b);
    CHECK(before.data() == at_a);
    CHECK(pool.leased() == 3);
}

TEST_CASE("an exhausted pool gives nothing until a buffer comes back") {
    BufferPool pool(page, 3, 1);
    std::vector<BufferLease> all;
    for (int i = 0; i < 3; ++i) {
        all.push_back(pool.lease());
        REQUIRE(all.back());
        CHECK(all.back().size() == page);
        std::memset(all.back().data(), 'a' + i, page);
    }
    const BufferLease none = pool.lease();
    CHECK_FALSE(none);
    CHECK(none.size() == 0);
    CHECK(pool.leased() == 3);
    for (int i = 0; i < 3; ++i)
        CHECK(all[static_cast<std::size_t>(i)].data()[page - 1] == 'a' + i);  // none overlap
    all.pop_back();
    CHECK(pool.lease());
    CHECK(pool.leased() == 2);
}

TEST_CASE("beyond the kept ones, returned buffers give their pages back") {
    BufferPool pool(page, 4, 1);
    BufferLease kept = pool.lease(), given = pool.lease();
    std::memset(kept.data(), 1, page);
    std::memset(given.data(), 2, page);
    REQUIRE(resident(given));
    kept.release();   // the one that stays warm
    given.release();  // the one too many
    const BufferLease warm = pool.lease(), cold = pool.lease();
    CHECK(resident(warm));
    CHECK_FALSE(resident(cold));
    CHECK(warm.data()[0] == 1);
    CHECK(cold.data()[0] == 0);  // fresh from the kernel, and usable
    std::memset(cold.data(), 3, page);
    CHECK(resident(cold));
}

TEST_CASE("a cold buffer is used again before an untouched one") {
    BufferPool pool(page, 100, 0);
    BufferLease first = pool.lease();
    const char* const at = first.data();
    first.release();
    CHECK(pool.lease().data() == at);
}

TEST_CASE("a lease is counted once, wherever it moves") {
    BufferPool pool(page, 4, 4);
    BufferLease a = pool.lease();
    BufferLease b = std::move(a);
    CHECK_FALSE(a);
    CHECK(b);
    BufferLease c = pool.lease();
    c = std::move(b);  // gives its own back
    CHECK(pool.leased() == 1);
    BufferLease& itself = c;
    c = std::move(itself);
    CHECK(c);
    c.release();
    c.release();
    CHECK(pool.leased() == 0);
}
