// Look-up and removal in a list of fields.
#include "core/header_list.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("a list finds, counts and removes its fields") {
    HeaderList list;
    list.add("host", "a");
    list.add("X-One", "1");
    list.add("Set-Cookie", "b");
    list.add(Field::set_cookie, "c");
    CHECK(list.size() == 4);
    CHECK(list.find(Field::host)->value == "a");
    CHECK(list.find(Field::via) == nullptr);
    CHECK(list.find("x-ONE")->value == "1");
    CHECK(list.find("x-two") == nullptr);
    CHECK(list.count(Field::set_cookie) == 2);
    CHECK(list.count(Field::via) == 0);
    CHECK(list.value(Field::set_cookie) == "b");
    CHECK(list.value(Field::via).empty());
    CHECK(list[3].name == "Set-Cookie");

    list.remove(Field::set_cookie);
    CHECK(list.size() == 2);
    list.remove("X-ONE");
    CHECK(list.size() == 1);
    list.clear();
    CHECK(list.empty());
}
