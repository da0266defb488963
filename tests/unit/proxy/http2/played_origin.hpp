// An origin over HTTP/2 at the far end of the edge's connections: what scenarios are played with.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "tests/support/http2_peer.hpp"
#include "tests/support/scripted_stream.hpp"

namespace scrollgate::test {

/// One connection's far end; says what `answer` makes it say.
class PlayedOrigin {
  public:
    /// Called once per request whose end, or reset, was seen.
    using Answer = std::function<void(PlayedOrigin&, std::int32_t stream)>;

    PlayedOrigin(ScriptedPeer& line, Answer answer, Http2Peer::Settings settings)
        : peer(settings), line_(line), answer_(std::move(answer)) {}

    void changed() {
        peer.take(std::string_view(line_.written()).substr(taken_));
        taken_ = line_.written().size();
        for (const auto& [stream, request] : peer.requests) {
            if (stream == 0 || !(request.ended || request.reset >= 0)) continue;
            if (request.reset < 0 && seen_.insert(stream).second) answer_(*this, stream);
        }
        say();
    }
    void say() {
        const std::string bytes = peer.give();
        if (!bytes.empty() && !line_.saw_end()) line_.send(bytes);
    }
    void hang_up() {
        say();
        line_.finish();
    }
    void respond(std::int32_t stream, std::string body, Http2Fields trailers = {}) {
        peer.respond(stream, {{":status", "200"}}, std::move(body), std::move(trailers));
    }

    Http2Peer peer;

  private:
    ScriptedPeer& line_;
    Answer answer_;
    std::size_t taken_ = 0;
    std::set<std::int32_t> seen_;
};

/// The script of one origin connection.
inline std::function<void(ScriptedPeer&)> origin_over_http2(PlayedOrigin::Answer answer,
                                                            Http2Peer::Settings settings = {}) {
    auto played = std::make_shared<std::unique_ptr<PlayedOrigin>>();
    return [=](ScriptedPeer& line) {
        if (!*played) *played = std::make_unique<PlayedOrigin>(line, answer, settings);
        (*played)->changed();
    };
}

}  // namespace scrollgate::test
