// The records of the two streams: they are read as they were written, and nothing else is.
#include "cache/tier/log_record.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"

using namespace scrollgate;
using namespace scrollgate::tier;
using redis::Reply;

namespace {

Reply text(std::string value) {
    return {Reply::Kind::text, 0, std::move(value), {}};
}

Reply array(std::vector<Reply> elements) {
    return {Reply::Kind::array, 0, {}, std::move(elements)};
}

Reply entry(std::string id, const std::vector<std::string>& words) {
    std::vector<Reply> fields;
    for (const std::string& word : words)
        fields.push_back(text(word));
    return array({text(std::move(id)), array(std::move(fields))});
}

}  // namespace

TEST_CASE("ids are positions in the same order") {
    CHECK(position_of("0-0") == Position{0});
    CHECK(id_of(*position_of("1700000000123-7")) == "1700000000123-7");
    CHECK(milliseconds_of(*position_of("1700000000123-7")) == 1700000000123);
    CHECK(*position_of("5-9") < *position_of("6-0"));
    CHECK(*position_of("5-8") < *position_of("5-9"));
    for (const char* wrong : {"", "5", "5-", "-5", "a-1", "5-1x", " 5-1", "5-4194304",
                              "4398046511104-0", "18446744073709551616-0"})
        CHECK_FALSE(position_of(wrong));
    CHECK(position_of("4398046511103-4194303") == Position{UINT64_MAX});
}

TEST_CASE("a purge is read as it was written") {
    for (const Purge::By by : {Purge::By::url, Purge::By::prefix, Purge::By::tag, Purge::By::all})
        for (const bool soft : {false, true}) {
            LogRecord record;
            record.purge = {by, by == Purge::By::all ? "" : "a.example/x", soft ? "https" : "",
                            soft, !soft};
            record.token = make_token(0x1234);
            Position position = 0;
            const auto got = read_purge(entry("9-1", words_of(record)), position);
            REQUIRE(got);
            CHECK(position == position_of("9-1"));
            CHECK(got->position == position);
            CHECK_FALSE(got->reset);
            CHECK(got->purge.by == by);
            CHECK(got->purge.what == record.purge.what);
            CHECK(got->purge.scheme == record.purge.scheme);
            CHECK(got->purge.soft == soft);
            CHECK(got->purge.counted == !soft);
            CHECK(got->token == "0000000000001234");
        }
    LogRecord reset;
    reset.reset = true;
    Position position = 0;
    const auto got = read_purge(entry("9-2", words_of(reset)), position);
    REQUIRE(got);
    CHECK(got->reset);
}

TEST_CASE("of a record that is not understood the position is told all the same") {
    Position position = 0;
    CHECK_FALSE(read_purge(entry("9-1", {"by", "x", "what", "y"}), position));
    CHECK(position == position_of("9-1"));
    position = 0;
    CHECK_FALSE(read_purge(entry("9-3", {"by", "u"}), position));  // of nothing
    CHECK(position == position_of("9-3"));
    position = 0;
    CHECK_FALSE(read_purge(entry("9-4", {}), position));
    CHECK(position == position_of("9-4"));
    position = 0;
    CHECK_FALSE(read_purge(entry("nine", {"by", "a"}), position));
    CHECK_FALSE(read_purge(text("9-1"), position));
    CHECK_FALSE(read_purge(array({}), position));
    CHECK(position == 0);
}

TEST_CASE("what nodes say of themselves") {
    NodeRecord record;
    record.node = "n1";
    record.followed = *position_of("8-3");
    Position position = 0;
    const auto got = read_node(entry("9-1", words_of(record)), position);
    REQUIRE(got);
    CHECK(got->node == "n1");
    CHECK(got->followed == record.followed);
    CHECK(got->covered.empty());
    CHECK_FALSE(read_node(entry("9-1", {"node", "", "followed", "1-1"}), position));
    CHECK_FALSE(read_node(entry("9-1", {"node", "x", "followed", "1"}), position));
    CHECK_FALSE(
        read_node(entry("9-1", {"node", std::string(300, 'x'), "followed", "1-1"}), position));
}

TEST_CASE("nodes say what purges have covered") {
    NodeRecord record{0, "n1", *position_of("8-3"), {}};
    for (std::uint64_t i = 0; i < limits::tier_covered + 3; ++i)
        record.covered.push_back({*position_of("8-0") + i, i * i});
    Position position = 0;
    const auto got = read_node(entry("9-1", words_of(record)), position);
    REQUIRE(got);
    REQUIRE(got->covered.size() == limits::tier_covered);
    for (std::size_t i = 0; i < got->covered.size(); ++i) {
        CHECK(got->covered[i].purge == record.covered[i].purge);
        CHECK(got->covered[i].objects == record.covered[i].objects);
    }
    const std::vector<std::string> odd{
        "node", "n", "followed", "1-1", "covered", " 1-1 =3 1-2= 1-3=x 1-4=4  1-5=5=5 1-6=6 "};
    const auto some = read_node(entry("9-1", odd), position);
    REQUIRE(some);
    REQUIRE(some->covered.size() == 2);
    CHECK(some->covered[0].objects == 4);
    CHECK(some->covered[1].objects == 6);
}

TEST_CASE("the records of a stream are found by its name") {
    const Reply answer = array(
        {array({text("a"), array({entry("1-1", {"by", "a"})})}), array({text("b"), array({})})});
    REQUIRE(records_of(answer, "a") != nullptr);
    CHECK(records_of(answer, "a")->size() == 1);
    CHECK(records_of(answer, "b")->empty());
    CHECK(records_of(answer, "c") == nullptr);
    CHECK(records_of(Reply{}, "a") == nullptr);
    CHECK(records_of(array({text("a")}), "a") == nullptr);
}
