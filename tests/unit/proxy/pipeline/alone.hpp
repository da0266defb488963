// One Exchange without connections: a parsed request, a sink that remembers. For tests of single
// steps of the pipeline.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "core/http1/head_parser.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/no_body.hpp"
#include "tests/unit/proxy/pipeline/edge.hpp"

namespace scrollgate::test {

/// Remembers the answer instead of sending it.
class RememberingSink final : public ResponseSink {
  public:
    Task<Result<void>> write(const BodyChunk& chunk) override {
        body += chunk.data;
        ended = chunk.end;
        return Task<Result<void>>::ready(Result<void>());
    }
    Task<Result<void>> flush() override { return Task<Result<void>>::ready(Result<void>()); }
    Task<Result<void>> interim(const ResponseHead&) override { return flush(); }
    Task<Result<void>> upgrade(const ResponseHead&, std::string_view) override { return flush(); }
    void watch() override {}
    using ResponseSink::head;
    void head(const ResponseHead& head, std::string_view prepared) override {
        lines = prepared;
        status = head.status;
        reason = head.reason;
        length = head.body.length;
        for (const HeaderField& field : head.fields)
            fields.emplace_back(std::string(field.name) + ": " + std::string(field.value));
    }
    void bound(Duration, TimePoint) noexcept override {}
    [[nodiscard]] bool committed() const noexcept override { return status != 0; }
    void abort() noexcept override { aborted = true; }

    /// The value of a field; empty if it is not there.
    [[nodiscard]] std::string field(const std::string& name) const {
        for (const std::string& one : fields) {
            if (one.starts_with(name + ": ")) return one.substr(name.size() + 2);
        }
        return {};
    }

    std::uint16_t status = 0;
    std::string reason, body, lines;
    std::uint64_t length = 0;
    std::vector<std::string> fields;
    bool ended = false, aborted = false;
};

/// The exchange of one request, given as text with LF for line ends and without the empty line.
struct Alone {
    Alone(std::string_view request, std::string_view yaml, const std::string& ip, bool trusted)
        : edge(yaml), x(edge.worker) {
        for (const char c : request)
            c == '\n' ? text += "\r\n" : text += c;
        text += "\r\n\r\n";
        x.snapshot = edge.worker.snapshot_ref();
        client = {*SocketAddress::from_ip(ip, 40000), ip, "http", "plain", trusted};
        x.client = &client;
        x.sink = &sink;
        x.body = &body;
        std::size_t scanned = 0;
        const http1::ParseResult parsed =
            http1::parse_request_head(text, edge.snapshot->head_limits, scanned, x.request);
        REQUIRE_MESSAGE(parsed.status == http1::ParseResult::Status::complete, text);
        identify(x);
    }

    /// All values of a field that goes to the origin, joined by '|'.
    [[nodiscard]] std::string forwarded(std::string_view name) const {
        std::string all;
        for (const HeaderField& field : x.request.fields) {
            if (field.name != name) continue;
            if (!all.empty()) all += "|";
            all += field.value;
        }
        return all;
    }

    std::string text;
    Edge edge;
    Client client;
    RememberingSink sink;
    NoBody body;
    Exchange x;
};

/// Runs a task that does not wait.
inline void run_now(Task<void> task) {
    [](Task<void> all) -> detail::Detached { co_await std::move(all); }(std::move(task));
}

}  // namespace scrollgate::test
