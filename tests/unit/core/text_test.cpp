// Comma-separated lists taken apart from either end.
#include "core/text.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

using Strings = std::vector<std::string>;

Strings from_front(std::string_view list) {
    Strings all;
    do
        all.emplace_back(pop_first_in_list(list));
    while (!list.empty());
    return all;
}

Strings from_back(std::string_view list) {
    Strings all;
    do
        all.emplace(all.begin(), pop_last_in_list(list));
    while (!list.empty());
    return all;
}

}  // namespace

TEST_CASE("only spaces and tabs are trimmed, and only outside") {
    CHECK(trim("") == "");
    CHECK(trim(" \t ") == "");
    CHECK(trim("\t a b ") == "a b");
    CHECK(trim("\r\na\n") == "\r\na\n");
}

TEST_CASE("a list gives the same elements from both ends") {
    for (const char* const list : {"a", "a,b", " a , b\t,c ", "a,,b"}) {
        INFO(std::string(list));
        CHECK(from_front(list) == from_back(list));
    }
    CHECK(from_front(" a , b\t,c ") == Strings{"a", "b", "c"});
    CHECK(from_front("a,,b") == Strings{"a", "", "b"});
    CHECK(from_front("") == Strings{""});
}
