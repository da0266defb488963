// "Should I buy more cache?", answered in words.
#include "proxy/cli/cache_advice.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace scrollgate;

namespace {

std::string advice(double half, double same, double twice, double four,
                   std::string_view limit = "memory") {
    std::string points;
    const auto add = [&](double times, double miss_ratio) {
        if (!points.empty()) points += ',';
        points += fmt::format(R"({{"times": {}, "miss_ratio": {}}})", times, miss_ratio);
    };
    add(0.5, half);
    add(1, same);
    add(2, twice);
    add(4, four);
    const std::string text =
        fmt::format(R"({{"limited_by": "{}", "miss_ratio_curve": [{}]}})", limit, points);
    return cache_advice(boost::json::parse(text).as_object());
}

}  // namespace

TEST_CASE("more memory pays where double the memory answers a hundredth more") {
    CHECK(advice(0.5, 0.4, 0.3, 0.25).starts_with("more memory pays: 10.0% more hits with double"));
    CHECK(advice(0.5, 0.4, 0.395, 0.3)
              .starts_with("more memory pays only from four times on: 10.0% more hits"));
    CHECK(advice(0.5, 0.4, 0.395, 0.395).starts_with("more memory does not pay ("));
    CHECK(advice(0.4, 0.4, 0.4, 0.4).starts_with("more memory does not pay, and half of it"));
}

TEST_CASE("where the number of entries is the limit, that is what more of pays") {
    CHECK(advice(0.5, 0.4, 0.3, 0.25, "max_entries") ==
          "a larger max_entries pays: 10.0% more hits with double (hit rate 50.0% with half of it, "
          "60.0% with this, 70.0% with double, 75.0% with four times)");
}

TEST_CASE("without a curve there is no advice") {
    CHECK(cache_advice(boost::json::parse(R"({"miss_ratio_curve": []})").as_object()) == "");
}
