// What each end of an attempt leaves in the evidence, and when it rings.
#include "balancer/report.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace std::chrono_literals;

namespace {
const TimePoint now{1h};
}

TEST_CASE("refused twice is reason to look at once") {
    EndpointState state;
    CHECK_FALSE(report(state, AttemptEnd::refused, 1ms, now));
    CHECK(report(state, AttemptEnd::refused, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::answered, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::refused, 1ms, now));
    CHECK(state.refused == 3);
    CHECK(state.answers == 1);
}

TEST_CASE("attempts without an answer count in one row, however they end") {
    EndpointState state;
    CHECK_FALSE(report(state, AttemptEnd::broken, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::silent, 1s, now));
    CHECK(report(state, AttemptEnd::overdue, 1s, now));
    CHECK_FALSE(report(state, AttemptEnd::server_error, 1ms, now));
    CHECK(state.unanswered_run == 0);
    CHECK(state.last_answer == now.time_since_epoch().count());
}

TEST_CASE("an attempt that was overdue and then broke is one in the row") {
    EndpointState state;
    for (const AttemptEnd end : {AttemptEnd::broken, AttemptEnd::silent}) {
        CHECK_FALSE(report(state, AttemptEnd::overdue, 90ms, now));
        CHECK_FALSE(report(state, end, 1s, now, true));
    }
    CHECK(state.unanswered_run == 2);
    CHECK(state.broken == 1);
    CHECK(state.silent == 1);
    CHECK(report(state, AttemptEnd::overdue, 90ms, now));
}

TEST_CASE("5xx in a row are reason to look, and an answer ends the row") {
    EndpointState state;
    CHECK_FALSE(report(state, AttemptEnd::server_error, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::server_error, 1ms, now));
    CHECK(report(state, AttemptEnd::server_error, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::answered, 1ms, now));
    CHECK_FALSE(report(state, AttemptEnd::server_error, 1ms, now));
    CHECK(state.server_errors == 4);
}

TEST_CASE("what was called off is a lower bound for the latency, not a failure") {
    EndpointState state;
    CHECK_FALSE(report(state, AttemptEnd::answered, 2ms, now));
    CHECK_FALSE(report(state, AttemptEnd::given_up, 30ms, now));
    CHECK(state.latency.value(now) == doctest::Approx(30'000).epsilon(0.01));
    CHECK(state.unanswered_run == 0);
    CHECK(state.heads.count() == 1);
}
