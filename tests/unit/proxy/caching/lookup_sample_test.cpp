// Which look-ups are looked at: all of few, one of 64 of many, and what they stand for adds up.
#include "proxy/caching/lookup_sample.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {

struct Seen {
    std::uint64_t samples = 0, uses = 0;
};

Seen look(unsigned lookups, Duration between) {
    LookupSample sample;
    FastRng rng(3);
    TimePoint now{1h};
    Seen seen;
    for (unsigned i = 0; i < lookups; ++i) {
        now += between;
        if (!sample.is_due()) continue;
        ++seen.samples;
        seen.uses += sample.taken(now, rng);
    }
    return seen;
}

}  // namespace

TEST_CASE("while few come, each is one of the sample") {
    const Seen seen = look(1000, 5ms);
    CHECK(seen.samples == 1000);
    CHECK(seen.uses == 1000);
}

TEST_CASE("where many come, one of 64 is, and stands for them") {
    const Seen seen = look(1'000'000, 1us);
    CHECK(seen.samples < 1'000'000 / 60);
    CHECK(seen.samples > 1'000'000 / 68);
    CHECK(seen.uses > 950'000);
    CHECK(seen.uses < 1'050'000);
}
