// A report whose figures are known, for the tests of everything that writes one.
#pragma once

#include <initializer_list>

#include "bench/report/report.hpp"

namespace scrollgate::bench::testing {

using namespace std::chrono_literals;

/// What differs from one request to the next; the rest of a Sample follows.
struct Answer {
    Duration at{};    ///< when it was done, from the start of the run
    Duration took{};  ///< from the intended start
    Duration late{};  ///< of that, before it was sent
    std::uint16_t status = 200;
    std::optional<Failure> failure = {};
    CacheResult cache = CacheResult::none;
    std::uint8_t method = 0, group = 0;
};

/// Counts `answer` in both the report's tally and its timeline, and lengthens the run to it.
inline void count(Report& report, const Answer& answer) {
    const TimePoint start{1h};
    Sample sample;
    sample.done = start + answer.at;
    sample.intended = sample.done - answer.took;
    sample.sent = sample.intended + answer.late;
    sample.status = answer.status;
    sample.failure = answer.failure;
    sample.cache = answer.cache;
    sample.method = answer.method;
    sample.group = answer.group;
    sample.bytes_in = sample.complete() ? 1024 : 0;
    sample.bytes_out = 100;
    report.total.count(sample);
    Slice slice;
    slice.index = static_cast<std::uint64_t>(answer.at / report.timeline.width());
    slice.count(sample);
    report.timeline.add(slice);
    report.elapsed = std::max(report.elapsed, answer.at);
}

/// An open loop of 10 s with 1000 requests: 989 quick ones, 10 that a stall of 1 s delayed before
/// they were sent, and one timeout; a cache, two methods, 20 answers 503 that were not expected.
inline Report open_loop() {
    Report report({"GET", "POST"}, 100ms);
    report.tool = "scrollgate-bench 0.1.0";
    report.url = "http://127.0.0.1:8080/metadata/{n}.json";
    report.protocol = "http/1.1";
    report.started = "2024-05-01T12:00:00Z";
    report.arguments = {report.url, "--rate", "100"};
    report.connections = 8;
    report.workers = 1;
    report.open_loop = true;
    report.rate = 100;
    report.elapsed = 10s;
    for (int i = 0; i < 1000; ++i) {
        Answer answer;
        answer.at = i * 10ms + 5ms;
        answer.took = 1ms + i * 1us;
        answer.cache = i % 10 == 0 ? CacheResult::miss : CacheResult::hit;
        answer.method = i % 4 == 3 ? 1 : 0;
        report.total.lag.record(20us);
        if (i >= 500 && i < 510) answer.took = 1s, answer.late = 990ms;
        if (i == 700) answer.failure = Failure::timeout, answer.status = 0;
        if (i >= 800 && i < 820) {
            answer.status = 503;
            answer.failure = Failure::unexpected_status;
        }
        count(report, answer);
    }
    return report;
}

/// An open loop of 3 s that asked for 100/s, 200/s and 300/s, and got 100/s, 200/s and 250/s, the
/// last with a failure in ten.
inline Report ramp() {
    Report report({"GET"}, 100ms);
    report.url = "http://edge.test/";
    report.open_loop = true;
    report.rate = 200;
    report.ramp = {{100, 1s}, {200, 1s}, {300, 1s}};
    for (const int rate : {100, 200, 250}) {
        const Duration second = rate == 100 ? 0s : rate == 200 ? 1s : 2s;
        for (int i = 0; i < rate; ++i) {
            Answer answer;
            answer.at = second + Duration(1s) / rate * i + 1ms;
            answer.took = rate * 10us;
            if (rate == 250 && i % 10 == 0) answer.failure = Failure::timeout;
            count(report, answer);
        }
    }
    report.elapsed = 3s;
    return report;
}

/// A closed loop of 3 s over two groups, one of which dies after 1 s and comes back after 2 s.
inline Report drill() {
    Report report({"GET"}, 100ms);
    report.tool = "scrollgate-bench 0.1.0";
    report.url = "http://edge.test/";
    report.protocol = "h2";
    report.started = "2024-05-01T12:00:00Z";
    report.connections = 2;
    report.workers = 1;
    report.grouped_by = "x-pool";
    report.groups = {"(none)", "aws", "gcp"};
    for (int i = 0; i < 300; ++i) {
        Answer answer;
        answer.at = i * 10ms + 5ms;
        answer.took = 2ms;
        const bool broken = i >= 100 && i < 200;
        answer.group = static_cast<std::uint8_t>(!broken && i % 2 == 0 ? 1 : 2);
        if (i == 100) answer.failure = Failure::reset, answer.status = 0;
        if (i == 101) answer.took = 62ms;
        count(report, answer);
    }
    report.drill = DrillResult{"kill 4711", 1s, 2s, 3, 1, 2ms, 62ms, 100ms};
    return report;
}

}  // namespace scrollgate::bench::testing
