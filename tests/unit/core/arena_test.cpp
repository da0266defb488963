// Text in an arena does not move and does not overlap until clear().
#include "core/arena.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"

using namespace scrollgate;

TEST_CASE("parts are joined in order, empty ones included") {
    Arena arena;
    CHECK(arena.join({"a", "", "bc", std::string(2000, 'd')}) == "abc" + std::string(2000, 'd'));
    CHECK(arena.join({}).empty());
    CHECK(arena.join({"", ""}).empty());
}

TEST_CASE("what was handed out stays as it was, however much more is taken") {
    const std::uint64_t seed = random_seed();
    INFO("seed ", seed);
    FastRng rng(seed);
    Arena arena;
    for (int round = 0; round < 5; ++round) {
        std::vector<std::pair<std::string_view, std::string>> taken;
        for (int i = 0; i < 300; ++i) {
            const std::string text(rng.below(i % 10 == 0 ? 3000 : 60),
                                   static_cast<char>('a' + i % 26));
            taken.emplace_back(arena.join({text, "|"}), text + "|");
        }
        for (const auto& [view, text] : taken)
            REQUIRE(view == text);
        arena.clear();
    }
}

TEST_CASE("after clear() the first block is used again") {
    Arena arena;
    const char* const first = arena.take(10);
    (void)arena.take(5000);
    arena.clear();
    CHECK(arena.take(10) == first);
}

TEST_CASE("a piece that just fits and one that just does not are both whole") {
    for (const std::size_t size : {1023U, 1024U, 1025U}) {
        Arena arena;
        const std::string text(size, 'x');
        const std::string_view a = arena.join({text});
        const std::string_view b = arena.join({"y"});
        CHECK(a == text);
        CHECK(b == "y");
    }
}
