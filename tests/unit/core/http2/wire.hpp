// A ClientSession with its far end beside it, and a stream that keeps what it hears.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/http2/client_session.hpp"
#include "tests/support/http2_peer.hpp"

namespace scrollgate::test {

struct RecordedStream final : http2::ClientStream {
    explicit RecordedStream(std::string to_send = {}) : body_to_send(std::move(to_send)) {}

    void head_came(const ResponseHead& head) noexcept override {
        heads.push_back(std::to_string(head.status));
        for (const HeaderField& field : head.fields)
            heads.back().append(" ").append(field.name).append("=").append(field.value);
        framing = head.body;
        if (on_head) on_head();
    }
    void body_came(std::string_view bytes) noexcept override { body += bytes; }
    void response_ended(const HeaderList* fields) noexcept override {
        ++last_calls;
        ended = true;
        for (std::size_t i = 0; fields != nullptr && i < fields->size(); ++i)
            trailers.append((*fields)[i].name).append("=").append((*fields)[i].value);
        if (on_end) on_end();
    }
    void failed(const Error& why) noexcept override {
        ++last_calls;
        error = why;
        if (on_end) on_end();
    }
    http2::BodyPart fill_body(std::span<char> into) noexcept override {
        const std::size_t part = body_to_send.copy(into.data(), into.size(), body_sent);
        body_sent += part;
        return {part, body_sent == body_to_send.size()};
    }

    std::vector<std::string> heads;  ///< "200 name=value …"
    BodyFraming framing;             ///< of the last one
    std::string body, trailers;
    bool ended = false;
    std::optional<Error> error;
    int last_calls = 0;
    std::function<void()> on_head, on_end;
    std::string body_to_send;
    std::size_t body_sent = 0;
};

/// The head of `GET /` to a.test, or of another request.
inline RequestHead request(std::string_view method = "GET", std::string_view target = "/") {
    RequestHead head;
    head.method = method_from(method);
    head.method_text = method;
    head.scheme = "http";
    head.authority = "a.test";
    head.target = target;
    return head;
}

/// The same with a body.
inline RequestHead request_with(std::string_view method, const std::string& body) {
    RequestHead head = request(method);
    head.body = {BodyFraming::Kind::length, body.size()};
    return head;
}

struct Wire {
    Wire() = default;
    explicit Wire(const http2::SessionOptions& options, Http2Peer::Settings settings = {})
        : session(options), peer(settings) {}
    ~Wire() { session.lost({}); }

    std::string pull() {
        std::string out;
        char piece[1000];
        while (const std::size_t size = session.pull(piece))
            out.append(piece, size);
        return out;
    }
    /// Carries bytes until both ends are silent.
    void carry() {
        while (true) {
            const std::string there = pull();
            if (!there.empty()) peer.take(there);
            const std::string back = peer.give();
            if (!back.empty()) session.feed(back);
            if (there.empty() && back.empty()) return;
        }
    }
    /// Sends a request and carries; the stream's number.
    std::int32_t send(RecordedStream& stream, const RequestHead& head = request()) {
        REQUIRE(session.submit(stream, head));
        carry();
        REQUIRE_FALSE(peer.requests.empty());
        return peer.requests.rbegin()->first;
    }

    http2::ClientSession session{http2::SessionOptions{}};
    Http2Peer peer;
};

}  // namespace scrollgate::test
