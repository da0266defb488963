// The records of the two streams: they are read as they were written, and nothing else is.
#include "cache/tier/log_record.hpp"

#include <doctest/doctest.h>

#include "core/limits.hpp"
#include "tests/support/replies.hpp"

using namespace scrollgate;
using namespace scrollgate::tier;
using namespace scrollgate::test;
using redis::Reply;

namespace {

using Words = std::vector<std::string>;

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
            LogRecord got;
            REQUIRE(read_purge(entry("9-1", words_of(record)), got) == Unreadable::no);
            CHECK(got.position == position_of("9-1"));
            CHECK(got.checked);
            CHECK_FALSE(got.reset);
            CHECK(got.purge.by == by);
            CHECK(got.purge.what == record.purge.what);
            CHECK(got.purge.scheme == record.purge.scheme);
            CHECK(got.purge.soft == soft);
            CHECK(got.purge.counted == !soft);
            CHECK(got.token == "0000000000001234");
        }
    LogRecord reset;
    reset.reset = true;
    LogRecord got;
    REQUIRE(read_purge(entry("9-2", words_of(reset)), got) == Unreadable::no);
    CHECK(got.reset);
}

TEST_CASE("records of the release before there were checks are read, and told apart") {
    LogRecord got;
    const Words old{"by", "p", "token", "12", "what", "a.example/", "scheme", "https"};
    REQUIRE(read_purge(entry("9-1", old), got) == Unreadable::no);
    CHECK_FALSE(got.checked);
    CHECK(got.purge.by == Purge::By::prefix);
    CHECK(got.purge.scheme == "https");
    Position position = 0;
    CHECK(read_node(entry("9-1", {"node", "n1", "followed", "8-3"}), position));
}

TEST_CASE("what cannot be read is a purge of everything, at its position") {
    LogRecord got;
    const auto check = [&](const char* id, const Words& words, Unreadable why) {
        got = {};
        got.purge.what = "left over";
        CHECK(read_purge(entry(id, words), got) == why);
        CHECK(got.position == position_of(id));
        CHECK_FALSE(got.reset);
        CHECK(got.purge.by == Purge::By::all);
        CHECK(got.purge.what.empty());
        CHECK_FALSE(got.purge.soft);
        CHECK_FALSE(got.purge.counted);
        CHECK(got.token.empty());
    };
    check("9-1", {"by", "x", "what", "y"}, Unreadable::foreign);
    check("9-3", {"by", "u"}, Unreadable::foreign);  // of nothing
    check("9-4", {}, Unreadable::cut);
    check("9-5", {"by"}, Unreadable::cut);
    check("9-6", {"by", "u", "what", "y", "more", "1"}, Unreadable::foreign);
    check("9-7", {"by", "u", "what", "y", "v", "3", "check", "1"}, Unreadable::version);
    check("9-8", {"by", "u", "what", "y", "v", "3"}, Unreadable::version);
    check("9-9", {"by", "u", "what", "y", "v", "2"}, Unreadable::broken);
    check("9-10", {"by", "u", "what", "y", "check", "1"}, Unreadable::broken);
    Words sealed{"by", "u", "what", std::string(limits::cache_key + 1, 'x')};
    seal(sealed);
    check("9-11", sealed, Unreadable::foreign);
}

TEST_CASE("no byte of a record can be changed, and no word go, so that another purge is read") {
    LogRecord record;
    record.purge = {Purge::By::prefix, "a.example/x", "https", true, true};
    record.token = make_token(7);
    const Words words = words_of(record);
    LogRecord got;
    for (std::size_t i = 0; i < words.size(); ++i) {
        for (std::size_t at = 0; at < words[i].size(); ++at)
            for (const int change : {1, 2, 16, 32}) {
                Words changed = words;
                changed[i][at] = static_cast<char>(changed[i][at] ^ change);
                CAPTURE(changed[i]);
                CHECK(read_purge(entry("9-1", changed), got) != Unreadable::no);
                CHECK(got.purge.by == Purge::By::all);
            }
        Words without = words;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK(read_purge(entry("9-1", without), got) != Unreadable::no);
    }
    // Nor can letters move from one word to the next.
    Words moved = words;
    moved[3] += moved[4].front();
    moved[4].erase(0, 1);
    CHECK(read_purge(entry("9-1", moved), got) != Unreadable::no);
}

TEST_CASE("what is no record of a stream has no position") {
    LogRecord got;
    static_cast<void>(read_purge(entry("nine", {"by", "a"}), got));
    CHECK(got.position == 0);
    static_cast<void>(read_purge(text("9-1"), got));
    CHECK(got.position == 0);
    static_cast<void>(read_purge(array({}), got));
    CHECK(got.position == 0);
    CHECK(got.purge.by == Purge::By::all);
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
    Words changed = words_of(record);
    changed[3] = "8-4";
    CHECK_FALSE(read_node(entry("9-1", changed), position));
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
    const Words odd{"node", "n",       "followed",
                    "1-1",  "covered", " 1-1 =3 1-2= 1-3=x 1-4=4  1-5=5=5 1-6=6 "};
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
