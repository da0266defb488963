// The fast classification of bytes against its definition, for every byte at every place.
#include "core/http1/bytes.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace scrollgate::http1;

namespace {

template <class Skip>
void stops_where_the_table_says(const ByteClass& bytes, char inside, Skip skip) {
    for (std::size_t size = 0; size <= 40; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            std::vector<char> text(size, inside);
            for (unsigned value = 0; value < 256; ++value) {
                text[at] = static_cast<char>(value);
                const char* begin = text.data();
                const auto stop = static_cast<std::size_t>(skip(begin, begin + size) - begin);
                if (stop != (bytes.has(text[at]) ? size : at)) FAIL(size, " ", at, " ", value);
            }
        }
    }
}

}  // namespace

TEST_CASE("runs of a class end at the first byte outside of it") {
    stops_where_the_table_says(token_bytes, 'a', skip<token_bytes>);
    stops_where_the_table_says(target_bytes, '/', skip<target_bytes>);
    stops_where_the_table_says(host_bytes, 'a', skip<host_bytes>);
    stops_where_the_table_says(value_bytes, ' ', skip<value_bytes>);
    stops_where_the_table_says(value_bytes, 'v', skip_value);
    stops_where_the_table_says(value_bytes, '\t', skip_value);
}

TEST_CASE("the classes hold what the RFCs say") {
    std::string tokens;
    std::string targets_without;
    for (unsigned value = 0; value < 256; ++value) {
        const char byte = static_cast<char>(value);
        if (token_bytes.has(byte)) tokens += byte;
        if (value > 0x20 && value < 0x7f && !target_bytes.has(byte)) targets_without += byte;
        CHECK(value_bytes.has(byte) == (value == '\t' || (value >= 0x20 && value != 0x7f)));
        if (value <= 0x20 || value >= 0x7f) CHECK_FALSE(target_bytes.has(byte));
    }
    CHECK(tokens ==
          "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    CHECK(targets_without == "\"#<>\\");
}

TEST_CASE("trim takes spaces and tabs off both ends") {
    CHECK(scrollgate::trim(" \t a \t b\t ") == "a \t b");
    CHECK(scrollgate::trim(" \t ").empty());
    CHECK(scrollgate::trim("").empty());
}
