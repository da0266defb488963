// The server's side of HTTP/2 before whatever a client may send: the first byte chooses how the
// rest, which follows a right preface and SETTINGS, is cut into pieces. Oracles: each stream hears
// one last call; bounds hold; what a request says is the same however its bytes were cut, and is
// what our HTTP/1 parser would let pass.
#include <deque>
#include <string>

#include <boost/asio/error.hpp>

#include "core/http1/authority.hpp"
#include "core/http1/bytes.hpp"
#include "core/http2/server_session.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;

constexpr std::string_view opening("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
constexpr TimePoint start{};

http2::SessionOptions small_options() {
    http2::SessionOptions options;
    options.header_bytes = 4096;
    options.fields = 20;
    options.streams = 8;
    options.stream_window = 65'535;
    options.windows = http2::SessionOptions::Windows::manual;
    return options;
}

const http2::SessionOptions options = small_options();

/// Keeps what it hears as text, and answers.
class Listener final : public http2::ServerStream {
  public:
    void begin() { begin_request(head_, arena_, 100); }

    std::string heard, body, trailers;
    bool came = false, whole = false;
    int last_calls = 0;

  private:
    void request_came(const Result<void>& judged, std::string_view protocol) noexcept override {
        require(!came && last_calls == 0, "two heads");
        came = true;
        if (!judged) {
            heard.append("refused ").append(judged.error().reason());
            return;
        }
        require(head_.fields.size() <= options.fields, "more fields than allowed");
        require(http1::valid_authority(head_.authority), "an authority that is none");
        require(head_.path == "*" || head_.path.starts_with('/'), "a path that is none");
        require(http1::all_of<http1::target_bytes>(head_.target), "a target with other bytes");
        require(http1::is_token(head_.method_text), "a method that is no token");
        for (const HeaderField& field : head_.fields) {
            require(http1::is_token(field.name), "a name that is none");
            require(http1::all_of<http1::value_bytes>(field.value), "a value that is none");
            require(field.id != Field::connection && field.id != Field::transfer_encoding &&
                        field.id != Field::upgrade,
                    "a field of a connection");
            heard.append(field.name).append(": ").append(field.value).append("\n");
        }
        heard.append(head_.method_text).append(" ").append(head_.target).append(protocol);
    }
    void body_came(std::string_view bytes) noexcept override {
        require(came && !whole && last_calls == 0, "a body out of place");
        body += bytes;
    }
    void request_ended(const HeaderList* fields) noexcept override {
        require(came && !whole && last_calls == 0, "an end out of place");
        whole = true;
        for (std::size_t i = 0; fields != nullptr && i < fields->size(); ++i)
            trailers.append((*fields)[i].name).append((*fields)[i].value);
    }
    void stream_ended(http2::StreamEnd) noexcept override {
        require(++last_calls == 1, "two last calls");
    }
    http2::BodyPart fill_body(std::span<char> into) noexcept override {
        into[0] = 'x';
        return {1, true, nullptr};
    }

    RequestHead head_;
    Arena arena_;
};

struct Server final : http2::ServerSession {
    Server() : ServerSession(options, start) {}
    http2::ServerStream* open_stream() noexcept override {
        if (listeners.size() >= 100) return nullptr;
        listeners.emplace_back().begin();
        return &listeners.back();
    }
    std::deque<Listener> listeners;
    bool over_early = false;  ///< nothing more was expected before the last piece came
};

void pull_all(Server& server) {
    std::size_t said = 0;
    char out[4096];
    while (const std::size_t size = server.pull(out)) {
        said += size;
        require(said < (1U << 20), "it says without end");
    }
}

void play(std::string_view input, std::size_t piece, Server& server) {
    std::string whole(opening);
    whole += input;
    std::string_view left = whole;
    for (; !left.empty(); left.remove_prefix(std::min(piece, left.size()))) {
        pull_all(server);
        server.over_early = server.over_early || server.over();
        server.feed(left.substr(0, piece), start);
    }
    HeaderList none;
    for (Listener& one : server.listeners) {
        if (!one.open() || !one.came) continue;
        require(server.respond(one, 200, none, {BodyFraming::Kind::length, 1}, true), "no answer");
    }
    pull_all(server);
    for (Listener& one : server.listeners)
        server.finish(one, http2::ServerSession::Because::done);
    server.lost(boost::asio::error::eof);
    require(server.over() && server.open_streams() == 0, "streams outlive the connection");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const std::size_t piece = 1 + take_byte(input) % 32;
    Server whole, cut;
    play(input, input.size() + opening.size(), whole);
    play(input, piece, cut);
    require((whole.flood() == http2::Flood::none) == (cut.flood() == http2::Flood::none),
            "a flood depends on how bytes come");
    // What came before a flood may have been dropped; behind the client's GOAWAY nothing is read,
    // unless it came with it.
    if (whole.flood() != http2::Flood::none || cut.over_early) return 0;
    require(whole.listeners.size() == cut.listeners.size(), "other streams");
    for (std::size_t i = 0; i < whole.listeners.size(); ++i) {
        const Listener &a = whole.listeners[i], &b = cut.listeners[i];
        require(a.came == b.came && a.heard == b.heard, "another head");
        require(a.whole == b.whole && a.trailers == b.trailers, "another end");
        if (a.whole) require(a.body == b.body, "another body");
    }
    return 0;
}
