#include "tests/unit/proxy/pipeline/fault_runs.hpp"

#include <cstdlib>
#include <fstream>

#include <doctest/doctest.h>
#include <unistd.h>

namespace scrollgate::test {

using namespace std::chrono_literals;

namespace {

using Way = Faults::Way;
/// What one run was like.
struct Run {
    std::size_t operations = 0;
    std::uint64_t events = 0;
};

const char* name_of(Way way) {
    static const char* const names[] = {"given up", "reset", "late reset", "end", "stall"};
    return names[static_cast<std::size_t>(way)];
}

void check_origins(const Scenario& scenario, const Edge& edge) {
    std::size_t reached = 0;
    for (const auto& peer : edge.dialer.peers) {
        std::string_view rest = peer->written();
        reached += rest.empty() ? 0 : 1;
        while (!rest.empty()) {
            const ReadMessage request = read_message(rest);
            CHECK_FALSE(request.malformed);
            if (rest.find("101-then") == std::string_view::npos) {
                CHECK(scenario.upload.starts_with(request.body));
            }
            if (!request.complete) break;
            rest.remove_prefix(request.size);
            if (request.head.find("Upgrade: ") != std::string::npos) break;
        }
    }
    if (scenario.once) CHECK(reached <= 1);
}

/// What stays open for another exchange has carried whole ones only.
void check_kept(const Edge& edge) {
    for (const auto& peer : edge.dialer.peers) {
        if (peer->closed()) continue;
        std::string_view requests = peer->written(), answers = peer->sent();
        while (!requests.empty()) {
            const ReadMessage request = read_message(requests);
            const ReadMessage answer =
                read_final(answers, false, request.head.starts_with("HEAD "));
            REQUIRE(request.complete);
            REQUIRE(answer.complete);
            requests.remove_prefix(request.size);
            answers.remove_prefix(answers.find(answer.head) + answer.size);
        }
        CHECK(answers.empty());
    }
}

void check_answers(const Scenario& scenario, const PlayedClient& client, bool struck) {
    for (const ReadMessage& answer : client.answers()) {
        CHECK_FALSE(answer.malformed);
        if (answer.status == 200 && !(struck && scenario.undelimited)) {
            CHECK(answer.body == scenario.body);
        }
        CHECK(answer.status >= 200);
    }
    if (struck) return;
    std::vector<int> statuses;
    for (const ReadMessage& answer : client.answers())
        statuses.push_back(answer.status);
    CHECK(statuses == scenario.statuses);
}

/// With way `none`, the worker gives up its sessions at the nth operation.
Run run(const Scenario& scenario, std::size_t nth, Way way, AccessLog& log) {
    INFO(std::string(scenario.name), ", operation ", nth, ": ", std::string(name_of(way)));
    Edge edge(scenario.yaml, &log);
    edge.cache.store.configure(edge.snapshot->config->cache);
    scenario.before(edge);
    edge.faults.strike(nth, way);
    if (way == Way::none) edge.faults.beside(nth, [&] { edge.worker.abandon_all(); });
    edge.dialer.on_connect = [&](ScriptedPeer& peer) {
        const bool first = peer.address() == edge.endpoints("app")[0]->address;
        if (scenario.first_refuses && first) {
            peer.connect_result({ECONNREFUSED, boost::system::system_category()});
        }
        scenario.connected(peer);
        peer.on_change(scenario.origin());
    };
    const std::shared_ptr<ScriptedPeer> peer = edge.client();
    PlayedClient client(*peer, scenario.requests);
    scenario.client(client);

    CHECK(edge.settle());
    int seconds = 0;
    for (; (!edge.served() || edge.cache.fills.size() > 0) && seconds < 40; ++seconds)
        CHECK(edge.pass(1s));
    CHECK_MESSAGE(edge.served(), "the session does not end");
    CHECK_MESSAGE(edge.cache.fills.size() == 0, "a fill does not end");
    const bool struck = edge.faults.struck();
    if (way != Way::stall || !struck) CHECK(seconds <= scenario.seconds);
    check_kept(edge);
    CHECK(edge.leftovers() == "");
    CHECK(edge.events() == client.begun());
    check_origins(scenario, edge);
    check_answers(scenario, client, struck);
    return {edge.faults.seen(), edge.events()};
}

/// Lines of a file, but those of background exchanges.
std::uint64_t lines(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t count = 0;
    for (std::string line; std::getline(file, line);)
        count += line.find("\"kind\":\"fill\"") == std::string::npos ? 1 : 0;
    return count;
}

}  // namespace

void run_all(const Scenario& scenario) {
    char path[] = "/tmp/exchange_faults_XXXXXX";
    const int file = ::mkstemp(path);
    REQUIRE(file >= 0);
    ::close(file);
    std::uint64_t events = 0, dropped = 0;
    {
        AccessLog log({path, config::AccessLog::Format::json}, 1);
        const Run plain = run(scenario, 0, Way::none, log);
        events += plain.events;
        REQUIRE(plain.operations > 2);
        for (const Way way : {Way::none, Way::reset, Way::late_reset, Way::end, Way::stall}) {
            std::size_t nth = 0;
            Run last;
            do {
                last = run(scenario, ++nth, way, log);
                events += last.events;
            } while (last.operations >= nth && nth < 300);
            CHECK(nth < 300);
        }
        dropped = log.dropped();
    }
    CHECK(lines(path) + dropped == events);
    ::unlink(path);
}

Origin answer_ten() {
    return answering([](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
        peer.send(ok_ten);
        peer.send(ten);
    });
}

}  // namespace scrollgate::test
