// A worker with one route that has a cache, in front of an origin that a test plays. One thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "tests/support/read_message.hpp"
#include "tests/unit/proxy/pipeline/edge.hpp"
#include "tests/unit/proxy/pipeline/played.hpp"

namespace scrollgate::test {

/// two_endpoints with `cache: { enabled: true <and more> }` and further keys of the route.
[[nodiscard]] inline std::string cached_route(const std::string& more = "",
                                              const std::string& route = "") {
    std::string yaml = two_endpoints;
    const std::string all = "balance: round_robin";
    const std::string cache = ", cache: { enabled: true" + more + " }" + route;
    yaml.replace(yaml.find(all), all.size(), all + cache);
    return yaml;
}

struct CachedEdge {
    /// Answers one request; the message is sent as it is, with LF for line ends in its head.
    using Answer = std::function<std::string(const ReadMessage& request)>;

    explicit CachedEdge(const std::string& yaml = cached_route(), AccessLog* log = nullptr)
        : edge(yaml, log) {
        edge.cache.store.configure(edge.snapshot->config->cache);
        edge.dialer.on_connect = [this](ScriptedPeer& peer) {
            if (refuses) peer.connect_result({ECONNREFUSED, boost::system::system_category()});
            peer.on_change(
                answering([this](ScriptedPeer& at, const ReadMessage& request, std::size_t) {
                    asked.push_back(request);
                    const std::string text = answer(request);
                    if (!text.empty()) at.send(text);
                }));
        };
    }
    ~CachedEdge() {
        std::string left;
        for (int seconds = 0; seconds < 30 && edge.cache.fills.size() > 0; ++seconds)
            static_cast<void>(edge.pass(std::chrono::seconds(1)));
        left = edge.leftovers();
        CHECK(left == "");
        CHECK(edge.cache.fills.size() == 0);
    }

    /// A client that sends `request` (LF for line ends, without the empty line) and waits.
    std::shared_ptr<ScriptedPeer> send(std::string_view request) {
        std::shared_ptr<ScriptedPeer> client = edge.client();
        client->send(crlf(request) + "\r\n\r\n");
        CHECK(edge.settle());
        return client;
    }
    /// What has come back to a client; it leaves.
    ReadMessage finish(ScriptedPeer& client, bool head = false) {
        const ReadMessage answer_read = read_final(client.written(), client.saw_end(), head);
        client.finish();
        CHECK(edge.settle());
        return answer_read;
    }
    /// One exchange.
    ReadMessage ask(std::string_view request) {
        const std::shared_ptr<ScriptedPeer> client = send(request);
        return finish(*client, request.starts_with("HEAD "));
    }
    ReadMessage get(const std::string& more = "", const std::string& path = "/a") {
        return ask("GET " + path + " HTTP/1.1\nHost: a.example" + more);
    }
    static std::string crlf(std::string_view text) {
        std::string out;
        for (const char c : text)
            c == '\n' ? out += "\r\n" : out += c;
        return out;
    }
    /// A response with a body, its head given with LF: "200 OK\nETag: \"1\"".
    static std::string reply(std::string_view head, std::string_view body) {
        return "HTTP/1.1 " + crlf(head) + "\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + std::string(body);
    }
    void pass(int seconds) { CHECK(edge.pass(std::chrono::seconds(seconds))); }

    std::vector<ReadMessage> asked;  ///< all that came to origins
    Answer answer = [](const ReadMessage&) {
        return reply("200 OK\nCache-Control: max-age=60", "hello");
    };
    bool refuses = false;  ///< origins refuse connections
    Edge edge;
};

}  // namespace scrollgate::test
