// A probe on a loop and a clock of its own, against scripted servers.
#pragma once

#include <doctest/doctest.h>

#include "health/probe.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::test {

struct Lab {
    Lab() {
        dialer.on_connect = [this](ScriptedPeer& peer) { script(peer); };
    }
    ~Lab() {
        settle();
        CHECK(faults.complaints == std::vector<std::string>{});
    }
    void settle() { test::settle(loop); }
    void pass(Duration by) { test::pass(loop, clock, by); }
    /// Answers each request (a head that ends) with `answer`.
    void answers(std::string answer, bool finish = false) {
        script = [answer, finish](ScriptedPeer& peer) {
            peer.on_change([answer, finish](ScriptedPeer& p) {
                const bool asked = p.written().ends_with("\r\n") || p.written().ends_with("}");
                if (p.closed() || !asked || p.step == p.written().size()) return;
                p.step = p.written().size();
                p.send(answer);
                if (finish) p.finish();
            });
        };
    }
    ProbeResult probe(const ProbePlan& plan) {
        std::optional<ProbeResult> result;
        child(one, plan, result);
        settle();
        if (!result) pass(plan.timeout);
        REQUIRE(result);
        return *result;
    }
    static detail::Detached child(Probe& probe, const ProbePlan& plan,
                                  std::optional<ProbeResult>& result) {
        result = co_await probe.run(plan);
    }

    FarClock far;
    ManualClock& clock = far.clock;
    Faults faults;
    EventLoop loop{clock, 1, 1'000};
    ScriptedDialer dialer{faults};
    std::function<void(ScriptedPeer&)> script = [](ScriptedPeer&) {};
    Probe one{loop, dialer};
};

inline ProbePlan plan_of(ProbePlan::Kind kind) {
    ProbePlan plan;
    plan.kind = kind;
    plan.addresses = {*SocketAddress::from_ip("192.0.2.1", 80)};
    plan.host = "app.test";
    plan.path = "/healthz";
    return plan;
}

}  // namespace scrollgate::test
