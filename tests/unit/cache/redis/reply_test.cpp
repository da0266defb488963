// Replies out of bytes, however they are cut; slots; what a cluster says about itself.
#include <doctest/doctest.h>

#include "cache/redis/command.hpp"
#include "cache/redis/reply_reader.hpp"
#include "cache/redis/slot.hpp"
#include "cache/redis/topology.hpp"
#include "core/limits.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;

namespace {

using Next = ReplyReader::Next;

/// The first reply of `bytes`, fed whole.
Reply read(const std::string& bytes) {
    ReplyReader reader(limits::redis_reply);
    reader.feed(bytes);
    Reply reply;
    REQUIRE(reader.next(reply) == Next::reply);
    return reply;
}

std::string wrong(const std::string& bytes, std::size_t most = limits::redis_reply) {
    ReplyReader reader(most);
    reader.feed(bytes);
    Reply reply;
    REQUIRE(reader.next(reply) == Next::broken);
    CHECK(reader.next(reply) == Next::broken);
    return std::string(reader.wrong());
}

const NodeName asked{"10.0.0.9", 7000};

}  // namespace

TEST_CASE("each kind of reply is read") {
    CHECK(read("+OK\r\n").is_status("OK"));
    CHECK(read(":-42\r\n").integer == -42);
    CHECK(read("$-1\r\n").is_nil());
    CHECK(read("*-1\r\n").is_nil());
    CHECK(read("$0\r\n\r\n").is_text());
    CHECK(read(std::string("$4\r\na\r\nb\r\n", 10)).text == "a\r\nb");
    const Reply error = read("-MOVED 3999 127.0.0.1:6381\r\n");
    CHECK(error.is_error());
    CHECK(error.code() == "MOVED");
    const Reply array = read("*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+x\r\n");
    REQUIRE(array.elements.size() == 3);
    CHECK(array.elements[1].elements[0].text == "a");
    CHECK(array.elements[1].elements[1].is_nil());
    CHECK(array.elements[2].is_status("x"));
    CHECK(read("*0\r\n").is_array());
}

TEST_CASE("replies come out whole wherever the bytes are cut, and keep their order") {
    const std::string bytes = "+OK\r\n*2\r\n$5\r\nhello\r\n:7\r\n$-1\r\n-ERR no\r\n$2\r\nhi\r\n";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        ReplyReader reader(limits::redis_reply);
        std::vector<Reply> all;
        for (const std::string& part : {bytes.substr(0, cut), bytes.substr(cut)}) {
            reader.feed(part);
            Reply reply;
            while (reader.next(reply) == Next::reply)
                all.push_back(reply);
        }
        REQUIRE(all.size() == 5);
        CHECK(all[1].elements[0].text == "hello");
        CHECK(all[3].text == "ERR no");
        CHECK(all[4].text == "hi");
    }
}

TEST_CASE("what is no reply, or beyond bounds, ends the reading") {
    CHECK(wrong("HTTP/1.1 400 Bad Request\r\n") == "no reply of Redis'");
    CHECK(wrong("$4\r\nhello\r\n") == "a text does not end where it should");
    CHECK(wrong("*2000000000\r\n") == "too many elements");
    CHECK(wrong("*1\r\n*200000\r\n*200000\r\n") == "too many elements");
    CHECK(wrong("$100\r\n" + std::string(50, 'x'), 20) == "a reply is too long");
    CHECK(wrong("+" + std::string(70'000, 'x')) == "a line is too long");
    CHECK(wrong("$" + std::string(100, '1')) == "a line is too long");
    CHECK(wrong("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n") ==
          "no reply of Redis'");
    wrong(":12x\r\n");
}

TEST_CASE("a length alone allocates nothing, and the bound counts one reply only") {
    ReplyReader reader(100);
    Reply reply;
    reader.feed("$90\r\n");
    CHECK(reader.next(reply) == Next::more);
    reader.feed(std::string(90, 'x') + "\r\n");
    CHECK(reader.next(reply) == Next::reply);
    for (int i = 0; i < 10; ++i) {
        reader.feed("$50\r\n" + std::string(50, 'y') + "\r\n");
        CHECK(reader.next(reply) == Next::reply);
    }
}

TEST_CASE("commands are written as Redis reads them, and keep nothing of the caller's") {
    std::string value("a\0b", 3);
    const Command command = Command::write({"SET", "key", value, "PX", "100"});
    value.assign("zzz");
    CHECK(command.wire() == std::string_view("*5\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\na\0b\r\n"
                                             "$2\r\nPX\r\n$3\r\n100\r\n",
                                             48));
    CHECK(command.kind() == Command::Kind::write);
    CHECK(command.has_key());
    const Command ping = Command::read({"PING"}, 0);
    CHECK_FALSE(ping.has_key());
    const Command empty = Command::read({"GET", std::string_view{}});
    CHECK(empty.wire() == "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
    std::vector<std::string_view> many(100, "k");
    many[0] = "MGET";
    CHECK(
        Command(Command::Kind::read, many).wire().starts_with("*100\r\n$4\r\nMGET\r\n$1\r\nk\r\n"));
    const Command blocking = Command::read({"XREAD"}, 0).blocking();
    CHECK(blocking.blocks());
    CHECK(Script("return 1").sha1() == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

TEST_CASE("slots are those of the specification") {
    CHECK(crc16("123456789") == 0x31c3);
    CHECK(slot_of("foo") == 12182);
    CHECK(slot_of("somekey") == 11058);
    CHECK(slot_of("foo{hash_tag}") == 2515);
    CHECK(slot_of("{user1000}.following") == slot_of("{user1000}.followers"));
    CHECK(slot_of("foo{}{bar}") == crc16("foo{}{bar}") % slots);
    CHECK(slot_of("foo{{bar}}zap") == slot_of("{bar"));
    CHECK(slot_of("foo{bar}{zap}") == slot_of("bar"));
    CHECK(slot_of("foo{bar") == crc16("foo{bar") % slots);
    CHECK(slot_of("") == 0);
}

TEST_CASE("CLUSTER SLOTS is read, and refused where it is none") {
    const auto slots_of = [](const std::string& bytes) { return read_slots(read(bytes), asked); };
    const auto ranges = slots_of(
        "*2\r\n"
        "*4\r\n:0\r\n:8191\r\n*3\r\n$8\r\n10.0.0.1\r\n:7001\r\n$1\r\na\r\n"
        "*4\r\n$4\r\nhost\r\n:7002\r\n$1\r\nb\r\n*0\r\n"
        "*3\r\n:8192\r\n:16383\r\n*3\r\n$-1\r\n:7003\r\n$1\r\nc\r\n");
    REQUIRE(ranges);
    REQUIRE(ranges->size() == 2);
    CHECK(ranges->at(0).master == NodeName{"10.0.0.1", 7001});
    CHECK(ranges->at(0).replicas == std::vector<NodeName>{{"host", 7002}});
    CHECK(ranges->at(1).master == NodeName{"10.0.0.9", 7003});
    CHECK(ranges->at(1).last == 16383);
    CHECK(slots_of("*0\r\n"));
    CHECK_FALSE(slots_of("+OK\r\n"));
    CHECK_FALSE(slots_of("*1\r\n:1\r\n"));
    CHECK_FALSE(slots_of("*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n"));
    CHECK_FALSE(slots_of("*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n"));
    CHECK_FALSE(slots_of("*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:70000\r\n"));
    CHECK_FALSE(slots_of("*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$3\r\na b\r\n:1\r\n"));
}

TEST_CASE("redirections are read, and refused where they are none") {
    const auto to = [](const std::string& text) {
        return read_redirection(read("-" + text + "\r\n"), asked);
    };
    REQUIRE(to("MOVED 3999 127.0.0.1:6381"));
    CHECK(to("MOVED 3999 127.0.0.1:6381")->slot == 3999);
    CHECK_FALSE(to("MOVED 3999 127.0.0.1:6381")->ask);
    CHECK(to("ASK 1 ::1:6381")->node == NodeName{"::1", 6381});
    CHECK(to("ASK 1 ::1:6381")->ask);
    CHECK(to("MOVED 1 :6381")->node == NodeName{"10.0.0.9", 6381});
    for (const char* none :
         {"MOVED", "MOVED ", "MOVED 1", "MOVED 1 a", "MOVED x a:1", "MOVED 16384 a:1",
          "MOVED 1 a:0", "MOVED 1 a:99999", "MOVED 1 a b:1", "OOM 1 a:1", "MOVEDX 1 a:1"})
        CHECK_FALSE(to(none));
}
