// Plays a scenario once for every stream operation and every way in which that one can go wrong,
// and checks each time that nothing stays behind and that each exchange ended in exactly one event.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/unit/proxy/pipeline/edge.hpp"
#include "tests/unit/proxy/pipeline/played.hpp"

namespace scrollgate::test {

using Origin = std::function<void(ScriptedPeer&)>;

inline const std::string ten = "0123456789";
inline const std::string ok_ten = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";

struct Scenario {
    const char* name = "";
    std::vector<PlayedClient::Request> requests;
    /// The script of one origin connection.
    std::function<Origin()> origin;
    /// Statuses of the answers when nothing goes wrong; one that is not complete is not listed.
    std::vector<int> statuses{200};
    /// Body of every complete answer with status 200.
    std::string body = ten;
    /// Body of every complete request that an origin gets.
    std::string upload{};
    /// More about the client, and about each origin connection.
    std::function<void(PlayedClient&)> client = [](PlayedClient&) {};
    std::function<void(ScriptedPeer&)> connected = [](ScriptedPeer&) {};
    /// What the edge has been through before.
    std::function<void(Edge&)> before = [](Edge&) {};
    /// The first endpoint refuses connections.
    bool first_refuses = false;
    /// A request of which something was sent may not be sent again.
    bool once = false;
    /// Nobody can tell whether the answer from the origin is whole.
    bool undelimited = false;
    /// The configuration.
    std::string yaml = two_endpoints;
    /// Seconds that may go by although nothing stalls.
    int seconds = 0;
};

/// One operation after the other fails, in every way, or has the worker give up its sessions.
void run_all(const Scenario& scenario);

/// Answers every request with ten bytes.
[[nodiscard]] Origin answer_ten();

}  // namespace scrollgate::test
