// The words of reasons.
#include "cache/reason.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("RFC 9211 2.8: each reason has a token of its own, and a sentence") {
    std::set<std::string_view> tokens;
    const auto count = static_cast<unsigned>(CacheReason::too_many_fills) + 1;
    for (unsigned i = 0; i < count; ++i) {
        const auto reason = static_cast<CacheReason>(i);
        const std::string_view word = token(reason);
        CAPTURE(word);
        CHECK_FALSE(word.empty());
        CHECK(std::all_of(word.begin(), word.end(),
                          [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; }));
        CHECK_FALSE(sentence(reason).empty());
        tokens.insert(word);
    }
    CHECK(tokens.size() == count);
    CHECK(token(CacheReason::hit_for_miss) == "hit-for-miss");
}
