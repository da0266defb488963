// Clients and origins of HTTP/1 that answer to what they see: what scenario tests are played with.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/read_message.hpp"
#include "tests/support/scripted_stream.hpp"

namespace scrollgate::test {

/// A client that sends one request after the other, each in the pieces given, and leaves when the
/// last one is answered or the connection ends.
class PlayedClient {
  public:
    using Request = std::vector<std::string>;

    PlayedClient(ScriptedPeer& peer, std::vector<Request> requests)
        : peer_(peer), requests_(std::move(requests)) {
        peer_.on_change([this](ScriptedPeer&) { changed(); });
        send_next();
    }

    /// Bytes behind "101 Switching Protocols"; the client half-closes when it gets `bye`.
    std::string hello, bye;
    /// The body that is sent on "100 Continue".
    std::string continued;
    /// Breaks its connection as soon as something of the answer has come.
    bool resets = false;
    /// From now on takes this many bytes at a time.
    void slow_down(std::size_t bytes) {
        slow_ = bytes;
        peer_.window(bytes);
    }

    [[nodiscard]] const std::vector<ReadMessage>& answers() const { return answers_; }
    /// Requests of which at least a byte was read.
    [[nodiscard]] std::size_t begun() const {
        std::size_t count = 0;
        for (const std::size_t start : starts_)
            count += peer_.delivered() > start ? 1 : 0;
        return count;
    }

  private:
    void send_next() {
        starts_.push_back(sent_);
        for (const std::string& piece : requests_[starts_.size() - 1])
            send(piece);
    }
    void send(const std::string& bytes) {
        sent_ += bytes.size();
        peer_.send(bytes);
    }

    void changed() {
        if (resets && !peer_.written().empty()) return peer_.reset();
        if (slow_ != 0) peer_.window(slow_);
        std::string_view rest = std::string_view(peer_.written()).substr(read_);
        if (!continued.empty() && rest.starts_with("HTTP/1.1 100 ")) {
            send(std::exchange(continued, {}));
        }
        const bool head_asked = requests_[starts_.size() - 1][0].starts_with("HEAD ");
        const ReadMessage answer = read_final(rest, peer_.saw_end(), head_asked);
        if (answer.status == 101) {
            if (!hello.empty()) send(std::exchange(hello, {}));
            if (rest.ends_with(bye)) peer_.finish();
        } else if (answer.complete && starts_.size() > answers_.size()) {
            answers_.push_back(answer);
            read_ = peer_.written().size();
            const bool more = starts_.size() < requests_.size() && !peer_.saw_end() &&
                              answer.field("Connection") != "close";
            more ? send_next() : peer_.finish();
        }
        if (peer_.saw_end()) peer_.finish();
    }

    ScriptedPeer& peer_;
    std::vector<Request> requests_;
    std::vector<std::size_t> starts_;
    std::vector<ReadMessage> answers_;
    std::size_t sent_ = 0, read_ = 0, slow_ = 0;
};

/// Calls `answer(peer, request, nth)` for each complete request on an origin's stream.
inline std::function<void(ScriptedPeer&)> answering(
    std::function<void(ScriptedPeer&, const ReadMessage&, std::size_t)> answer) {
    std::size_t read = 0, nth = 0;
    return [=](ScriptedPeer& peer) mutable {
        const auto request = read_message(std::string_view(peer.written()).substr(read));
        if (!request.complete) return;
        read += request.size;
        answer(peer, request, ++nth);
    };
}

}  // namespace scrollgate::test
