// Both ends of a body over HTTP/2, where a call and the step that it wakes lie apart.
#include <doctest/doctest.h>

#include "core/http2/client_session.hpp"
#include "proxy/http2/body_source.hpp"
#include "proxy/http2/outlet.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

struct Turns {
    void settle() { test::settle(loop); }
    FarClock far;
    EventLoop loop{far.clock, 1, 1'000};
};

struct NoLine final : Http2Line {
    void consumed(http2::SessionStream&, std::size_t) noexcept override {}
    void more_to_send(http2::SessionStream&) noexcept override {}
};

struct NoStream final : http2::ClientStream {
    void head_came(const ResponseHead&) noexcept override {}
    void body_came(std::string_view) noexcept override {}
    void response_ended(const HeaderList*) noexcept override {}
    void failed(const Error&) noexcept override {}
};

detail::Detached take(Http2Outlet& outlet, std::optional<Result<void>>& ended) {
    ended = co_await outlet.taken();
}

detail::Detached pull(BodySource& body, std::optional<Result<BodyChunk>>& got) {
    got = co_await body.pull();
}

}  // namespace

TEST_CASE("what is taken behind a look at the time, before its step, is taken") {
    Turns turns;
    Http2Outlet outlet(turns.loop);
    outlet.start(1s, ErrorKind::client_stalled);
    std::optional<Result<void>> ended;
    outlet.put({"0123456789", false, nullptr});
    take(outlet, ended);
    turns.settle();
    turns.far.clock.advance(2s);
    turns.loop.turn_timers();
    char into[16];
    CHECK(outlet.fill(into).bytes == 10);
    turns.settle();
    REQUIRE(ended.has_value());
    CHECK(ended->has_value());
    ended.reset();  // the next one is not taken because the last one was
    outlet.put({"abc", true, nullptr});
    take(outlet, ended);
    turns.settle();
    CHECK_FALSE(ended.has_value());
    CHECK(outlet.fill(into).end);
    turns.settle();
    REQUIRE(ended.has_value());
    CHECK(ended->has_value());
}

TEST_CASE("an interrupt that comes while nobody waits ends the next wait over HTTP/2, too") {
    Turns turns;
    NoLine line;
    NoStream stream;
    Http2BodySource body(turns.loop);
    body.start(line, stream, {});
    body.interrupt();
    std::optional<Result<BodyChunk>> got;
    pull(body, got);
    turns.settle();
    REQUIRE(got.has_value());
    REQUIRE_FALSE(got->has_value());
    CHECK(got->error().kind == ErrorKind::cancelled);
    body.resume();
    got.reset();
    pull(body, got);
    turns.settle();
    CHECK_FALSE(got.has_value());
    body.came("abc");
    turns.settle();
    REQUIRE(got.has_value());
    REQUIRE(got->has_value());
    CHECK((*got)->data == "abc");
    body.reset();
}
