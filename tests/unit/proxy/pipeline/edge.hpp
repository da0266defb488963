// A whole Worker between scripted streams, on a clock that the test moves.
//
// Nothing in it waits: settle() runs what is ready, pass() lets time go by. leftovers() names all
// that a finished exchange may not leave behind. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/server/worker.hpp"
#include "tests/support/scripted_stream.hpp"

namespace scrollgate::test {

/// Two endpoints, short timeouts, every limit set so that it is counted.
extern const char* const two_endpoints;

class Edge {
  public:
    /// With `log`, exchanges are written there as worker 0. Fails the test if `yaml` is refused.
    explicit Edge(std::string_view yaml = two_endpoints, AccessLog* log = nullptr);
    ~Edge();
    Edge(const Edge&) = delete;
    Edge& operator=(const Edge&) = delete;

    /// Serves a new client connection; the far end of it.
    std::shared_ptr<ScriptedPeer> client(const std::string& ip = "198.51.100.7");
    /// Runs what is ready, bounded. False if there was no end to it.
    [[nodiscard]] bool settle();
    /// Time goes by, then settle().
    [[nodiscard]] bool pass(Duration by);
    /// No session is there any more.
    [[nodiscard]] bool served() const;
    /// Exchanges that were observed.
    [[nodiscard]] std::uint64_t events() const;
    /// Closes idle upstream connections, then names everything that is still held; empty = nothing.
    [[nodiscard]] std::string leftovers();
    /// The endpoints of a pool, in the order of the file.
    [[nodiscard]] const EndpointSet& endpoints(const std::string& pool) const {
        return *sets.at(pool);
    }

    /// What is known of the endpoint that the `nth` connection (from 0) went to.
    [[nodiscard]] const EndpointState& state_of_origin(std::size_t nth) const;

    FarClock far;
    ManualClock& clock = far.clock;
    Faults faults;
    ScriptedDialer dialer{faults};
    Metrics metrics{1};
    Admission admission;
    ResponseCache cache{clock};
    EndpointRegistry registry;
    PoolSets sets;

  private:
    AccessLog silent_;
    std::vector<std::unique_ptr<Worker>> others_;  ///< there are none

  public:
    std::shared_ptr<const Snapshot> snapshot;
    Worker worker;
};

/// A Snapshot of `yaml` and its sets, as the control thread makes them.
[[nodiscard]] std::shared_ptr<const Snapshot> make_snapshot(std::string_view yaml,
                                                            const Clock& clock, Metrics& metrics,
                                                            EndpointRegistry& registry,
                                                            PoolSets& sets);

}  // namespace scrollgate::test
