// Bytes that wait in buffers of a pool.
#include "core/buffer_queue.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace scrollgate;

TEST_CASE("bytes come out as they went in, and buffers go back") {
    BufferPool pool(4096, 8, 2);
    BufferQueue queue;
    std::string in, out;
    for (int i = 0; i < 30; ++i) {
        const std::string piece(static_cast<std::size_t>(i * 37), static_cast<char>('a' + i % 26));
        REQUIRE(queue.append(pool, piece));
        in += piece;
        if (i % 3 != 0) continue;
        const std::string_view front = queue.front();
        const std::size_t part = (front.size() + 1) / 2;
        out += front.substr(0, part);
        queue.consume(part);
    }
    CHECK(queue.size() == in.size() - out.size());
    while (!queue.empty()) {
        out += queue.front();
        queue.consume(queue.front().size());
    }
    CHECK(out == in);
    CHECK(pool.leased() == 0);
}

TEST_CASE("what was given out stays in place while more comes") {
    BufferPool pool(4096, 8, 2);
    BufferQueue queue;
    REQUIRE(queue.append(pool, "first"));
    const std::string_view given = queue.front();
    REQUIRE(queue.append(pool, std::string(6000, 'x')));
    CHECK(given == "first");
    queue.consume(given.size());
    CHECK(queue.size() == 6000);
}

TEST_CASE("an exhausted pool takes no more, and what is there stays") {
    BufferPool pool(4096, 1, 1);
    BufferQueue queue;
    REQUIRE(queue.append(pool, std::string(4000, 'x')));
    CHECK_FALSE(queue.append(pool, std::string(4000, 'y')));
    CHECK(queue.size() == 4096);
    queue.consume(queue.front().size());
    CHECK(pool.leased() == 0);
}
