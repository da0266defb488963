// A client over HTTP/2 that a test plays, in front of a whole worker; its connection stays.
#pragma once

#include <deque>

#include "tests/unit/core/http2/wire.hpp"
#include "tests/unit/proxy/pipeline/fault_runs.hpp"

namespace scrollgate::test {

using namespace std::chrono_literals;

/// A client that stays, in front of an origin that answers with ten bytes.
struct Visit {
    explicit Visit(std::string_view yaml = two_endpoints) : edge(yaml) {
        edge.dialer.on_connect = [](ScriptedPeer& origin) { origin.on_change(answer_ten()); };
        peer = edge.client();
        talk();
    }
    ~Visit() {
        peer->finish();
        CHECK(edge.settle());
        CHECK(edge.pass(3s));
        session.lost({});
        CHECK(edge.served());
        CHECK(edge.leftovers() == "");
    }

    /// Says what the client has to say and hears what comes, until both are silent.
    void talk() {
        for (int quiet = 0; quiet < 2;) {
            std::string out;
            char piece[4096];
            while (const std::size_t size = session.pull(piece))
                out.append(piece, size);
            if (!out.empty()) peer->send(out);
            REQUIRE(edge.settle());
            const std::string news = peer->written().substr(heard);
            heard += news.size();
            session.feed(news);
            quiet = out.empty() && news.empty() ? quiet + 1 : 0;
        }
    }
    /// The answer to a request.
    RecordedStream& ask(const RequestHead& head, const std::string& body = {}) {
        streams.emplace_back(body);
        REQUIRE(session.submit(streams.back(), head));
        talk();
        return streams.back();
    }

    Edge edge;
    std::shared_ptr<ScriptedPeer> peer;
    http2::ClientSession session{http2::SessionOptions{}};
    std::deque<RecordedStream> streams;
    std::size_t heard = 0;
};

}  // namespace scrollgate::test
