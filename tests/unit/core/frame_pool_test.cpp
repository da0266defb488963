// Coroutine frames of all sizes keep apart and are aligned; with recycling, they come back.
#include "core/frame_pool.hpp"

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;

TEST_CASE("frames of any size are aligned, keep apart, and can all be given back") {
    const std::uint64_t seed = random_seed();
    INFO("seed ", seed);
    FastRng rng(seed);
    std::vector<std::pair<unsigned char*, std::size_t>> frames;
    for (int steps = 0; steps < 20'000; ++steps) {
        if (frames.empty() || rng.below(2) == 0) {
            const std::size_t size = 1 + rng.below(6'000);
            auto* const frame = static_cast<unsigned char*>(allocate_frame(size));
            REQUIRE(reinterpret_cast<std::uintptr_t>(frame) % alignof(std::max_align_t) == 0);
            std::memset(frame, static_cast<int>(size & 0xff), size);
            frames.emplace_back(frame, size);
        } else {
            std::swap(frames[rng.below(frames.size())], frames.back());
            const auto [frame, size] = frames.back();
            frames.pop_back();
            REQUIRE(frame[0] == (size & 0xff));
            REQUIRE(frame[size - 1] == (size & 0xff));
            free_frame(frame, size);
        }
    }
    for (const auto& [frame, size] : frames)
        free_frame(frame, size);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("a frame that was given back is the next one of its size") {
    void* const first = allocate_frame(200);
    free_frame(first, 200);
    void* const second = allocate_frame(193);  // the same size class of 64 bytes
    CHECK(second == first);
    void* const third = allocate_frame(200);
    CHECK(third != first);
    free_frame(second, 193);
    free_frame(third, 200);
}
#endif
