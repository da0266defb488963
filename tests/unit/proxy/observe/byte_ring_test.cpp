// The ring between a worker and the log's writer, full, empty and at its end.
#include "proxy/observe/byte_ring.hpp"

#include <string>
#include <thread>

#include <doctest/doctest.h>

using scrollgate::ByteRing;

namespace {

bool put(ByteRing& ring, const std::string& text) {
    char* room = ring.reserve(text.size());
    if (room == nullptr) return false;
    text.copy(room, text.size());
    ring.publish(text.size());
    return true;
}

std::string take(ByteRing& ring) {
    iovec pieces[2];
    const std::size_t size = ring.peek(pieces);
    std::string text;
    for (const iovec& piece : pieces) {
        text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    }
    CHECK(text.size() == size);
    ring.consume(size);
    return text;
}

}  // namespace

TEST_CASE("bytes come out as they went in, across the end of the ring") {
    ByteRing ring(10, 8);
    CHECK(ring.empty());
    for (int round = 0; round < 50; ++round) {
        REQUIRE(put(ring, "abcdefg"));
        CHECK(!ring.empty());
        REQUIRE(take(ring) == "abcdefg");
        CHECK(ring.empty());
    }
}

TEST_CASE("a full ring refuses and takes again once there is room") {
    ByteRing ring(10, 8);
    CHECK(put(ring, "12345678"));
    CHECK(!put(ring, "abc"));
    CHECK(put(ring, "ab"));
    CHECK(!put(ring, "x"));
    CHECK(take(ring) == "12345678ab");
    CHECK(put(ring, "abcdefgh"));
}

TEST_CASE("two threads lose and tear nothing") {
    ByteRing ring(1000, 100);
    constexpr int lines = 20'000;
    std::thread producer([&] {
        for (int i = 0; i < lines; ++i) {
            const std::string text = std::to_string(i) + std::string(i % 60, '.') + "\n";
            while (!put(ring, text))
                std::this_thread::yield();
        }
    });
    std::string expected;
    std::string got;
    for (int i = 0; i < lines; ++i)
        expected += std::to_string(i) + std::string(i % 60, '.') + "\n";
    while (got.size() < expected.size()) {
        if (ring.empty()) {
            std::this_thread::yield();
            continue;
        }
        got += take(ring);
        REQUIRE(got.back() == '\n');
    }
    producer.join();
    CHECK(got == expected);
}
