// Field names, their ids, and comparison without case.
#include "core/field.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

namespace {

std::string changed(std::string_view text, int (*change)(int)) {
    std::string out{text};
    for (char& c : out)
        c = static_cast<char>(change(static_cast<unsigned char>(c)));
    return out;
}

}  // namespace

TEST_CASE("every known name finds its id in any case, and nothing near it does") {
    for (unsigned i = 1; i <= static_cast<unsigned>(Field::x_request_id); ++i) {
        const Field id = static_cast<Field>(i);
        const std::string name{field_name(id)};
        CAPTURE(name);
        REQUIRE_FALSE(name.empty());
        CHECK(field_id(name) == id);
        CHECK(field_id(changed(name, tolower)) == id);
        CHECK(field_id(changed(name, toupper)) == id);
        CHECK(field_id(name + "x") == Field::unknown);
        CHECK(field_id(name.substr(1)) != id);
        for (std::size_t at = 0; at < name.size(); ++at) {
            for (int bit = 0; bit < 8; ++bit) {
                std::string other = name;
                other[at] = static_cast<char>(other[at] ^ (1 << bit));
                const bool same = bit == 5 && isalpha(static_cast<unsigned char>(name[at])) != 0;
                CHECK((field_id(other) == id) == same);
            }
        }
    }
}

TEST_CASE("unknown names have no id and the unknown id has no name") {
    for (const char* name :
         {"", "X", "XY", "X-Y-Z", "a-name-of-over-twenty-bytes", "Sec-Fetch-Mode"}) {
        CHECK(field_id(name) == Field::unknown);
    }
    CHECK(field_name(Field::unknown).empty());
}

TEST_CASE("comparison without case means ASCII letters and nothing else") {
    for (std::size_t size : {1U, 3U, 7U, 8U, 9U, 15U, 16U, 17U}) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int a = 0; a < 256; ++a) {
                std::string left(size, 'k');
                std::string right(size, 'K');
                left[at] = static_cast<char>(a);
                right[at] = static_cast<char>(a ^ 0x20);
                const bool letter = a < 128 && isalpha(a) != 0;
                if (equal_no_case(left, right) != letter) FAIL(size, " ", at, " ", a);
                right[at] = static_cast<char>(a);
                if (!equal_no_case(left, right)) FAIL(size, " ", at, " ", a);
                right[at] = static_cast<char>(a ^ 0x01);
                if (equal_no_case(left, right)) FAIL(size, " ", at, " ", a);
            }
        }
    }
    CHECK(equal_no_case("", ""));
    CHECK_FALSE(equal_no_case("a", ""));
    CHECK_FALSE(equal_no_case("a", "ab"));
}
