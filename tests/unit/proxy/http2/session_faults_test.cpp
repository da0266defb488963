// Exchanges over HTTP/2, with every single stream operation going wrong in every way: whatever
// happens, nothing stays behind, no answer is wrong, and no exchange is observed twice.
#include <deque>

#include "tests/unit/core/http2/wire.hpp"
#include "tests/unit/proxy/pipeline/fault_runs.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using namespace std::chrono_literals;

namespace {

using Way = Faults::Way;

/// Our client's session at the far end of a connection: says what it has, hangs up when all streams
/// have ended.
class Http2Player {
  public:
    explicit Http2Player(ScriptedPeer& peer) : peer_(peer) {}
    ~Http2Player() {
        peer_.on_change([](ScriptedPeer&) {});
        session_.lost({});
    }

    void ask(const RequestHead& head, const std::string& body = {}) {
        streams.emplace_back(body);
        REQUIRE(session_.submit(streams.back(), head));
    }
    void play() {
        peer_.on_change([this](ScriptedPeer&) { go_on(); });
        go_on();
    }
    void reset_when_answered(std::size_t stream) { to_reset_ = stream; }

    std::deque<RecordedStream> streams;

  private:
    void go_on() {
        const std::string_view news = std::string_view(peer_.written()).substr(heard_);
        heard_ = peer_.written().size();
        session_.feed(news);
        if (to_reset_ < streams.size() && !streams[to_reset_].heads.empty()) {
            if (streams[to_reset_].open()) session_.reset(streams[to_reset_]);
            to_reset_ = SIZE_MAX;
        }
        std::string out;
        char piece[4096];
        while (const std::size_t size = session_.pull(piece))
            out.append(piece, size);
        if (!out.empty()) peer_.send(out);
        if (session_.open_streams() > 0 || hung_up_) return;
        hung_up_ = true;
        peer_.finish();
    }

    ScriptedPeer& peer_;
    http2::ClientSession session_{http2::SessionOptions{}};
    std::size_t heard_ = 0, to_reset_ = SIZE_MAX;
    bool hung_up_ = false;
};

struct Play {
    std::function<void(Http2Player&)> ask;
    std::function<Origin()> origin = answer_ten;
    std::string body = ten;
    std::size_t whole = 1;  ///< answers, if nothing goes wrong
    std::function<void(ScriptedPeer&)> peer = [](ScriptedPeer&) {};
};

/// The number of operations that there were.
std::size_t run(const Play& play, std::size_t nth, Way way) {
    INFO("operation ", nth, ", way ", static_cast<int>(way));
    Edge edge;
    edge.faults.strike(nth, way);
    if (way == Way::none) edge.faults.beside(nth, [&] { edge.worker.abandon_all(); });
    edge.dialer.on_connect = [&](ScriptedPeer& peer) { peer.on_change(play.origin()); };
    const std::shared_ptr<ScriptedPeer> peer = edge.client();
    play.peer(*peer);
    Http2Player player(*peer);
    play.ask(player);
    player.play();
    CHECK(edge.settle());
    int seconds = 0;
    for (; !edge.served() && seconds < 100; ++seconds)
        CHECK(edge.pass(1s));
    CHECK_MESSAGE(edge.served(), "the session does not end");
    CHECK(edge.leftovers() == "");
    CHECK(edge.events() <= player.streams.size());
    std::size_t whole = 0;
    for (const RecordedStream& stream : player.streams) {
        if (!stream.ended || stream.heads.empty()) continue;
        if (!stream.heads.back().starts_with("200")) continue;
        ++whole;
        CHECK(stream.body == play.body);
    }
    if (!edge.faults.struck()) {
        CHECK(whole == play.whole);
        CHECK(edge.events() == player.streams.size());
    }
    return edge.faults.seen();
}

void run_all(const Play& play) {
    REQUIRE(run(play, 0, Way::none) > 2);
    for (const Way way : {Way::none, Way::reset, Way::late_reset, Way::end, Way::stall}) {
        std::size_t nth = 1;
        while (nth < 300 && run(play, nth, way) >= nth)
            ++nth;
        CHECK(nth < 300);
    }
}

}  // namespace

TEST_CASE("a GET over HTTP/2 leaves nothing behind, whichever operation fails") {
    run_all({.ask = [](Http2Player& player) { player.ask(request()); }});
}

TEST_CASE("streams beside each other leave nothing behind, whichever operation fails") {
    run_all({.ask =
                 [](Http2Player& player) {
                     for (int i = 0; i < 3; ++i)
                         player.ask(request());
                 },
             .whole = 3});
}

TEST_CASE("an upload over HTTP/2 leaves nothing behind, whichever operation fails") {
    const std::string body(100'000, 'u');
    const auto origin = [] {
        return answering(
            [](ScriptedPeer& peer, const ReadMessage&, std::size_t) { peer.send(ok_ten + ten); });
    };
    run_all({.ask = [&](Http2Player& player) { player.ask(request_with("PUT", body), body); },
             .origin = origin});
}

TEST_CASE("a stream that its client resets leaves nothing behind, and the others go on") {
    const auto origin = [] {
        return answering([](ScriptedPeer& peer, const ReadMessage& got, std::size_t) {
            if (got.head.starts_with("GET /slow")) {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nxxx");
            } else {
                peer.send(ok_ten + ten);
            }
        });
    };
    run_all({.ask =
                 [](Http2Player& player) {
                     player.ask(request("GET", "/slow"));
                     player.ask(request());
                     player.reset_when_answered(0);
                 },
             .origin = origin});
}

TEST_CASE("an answer that its client takes slowly leaves nothing behind") {
    const std::string body(150'000, 'x');
    const auto origin = [&body] {
        return answering([&body](ScriptedPeer& peer, const ReadMessage&, std::size_t) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 150000\r\n\r\n" + body);
        });
    };
    run_all({.ask = [](Http2Player& player) { player.ask(request()); },
             .origin = origin,
             .body = body});
}
