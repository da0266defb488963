// Paths of the admin API that carry a pool and an address.
#include "proxy/admin/path_pattern.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;

using Values = std::vector<std::string>;

TEST_CASE("a path of the pattern gives its parameters, decoded") {
    CHECK(match_path("/healthz", "/healthz") == Values{});
    CHECK(match_path("/pools/{pool}/scale", "/pools/aws/scale") == Values{"aws"});
    CHECK(match_path("/e/{pool}/{address}/drain", "/e/a%2fb/%5b::1%5D:80/drain") ==
          Values{"a/b", "[::1]:80"});
    CHECK(match_path("/e/{pool}/{address}/drain", "/e/a/[::1]:80/drain") ==
          Values{"a", "[::1]:80"});
}

TEST_CASE("others are not of it") {
    for (const char* path : {"", "/", "/pools", "/pools/", "/pools//scale", "/pools/a/scale/",
                             "/pools/a/b/scale", "/pools/a/fail", "/pools/a", "pools/a/scale",
                             "/pools/%/scale", "/pools/%g0/scale", "/pools/a%2/scale"}) {
        CHECK_MESSAGE(!match_path("/pools/{pool}/scale", path), path);
    }
}

TEST_CASE("what is escaped comes back") {
    CHECK(path_segment("[::1]:80") == "%5B::1%5D:80");
    for (const std::string text : {"aws", "a/b", "100%", "méta ?#", "10.0.0.1:80"}) {
        CHECK(match_path("/{x}", "/" + path_segment(text)) == Values{text});
    }
}
