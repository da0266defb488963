// The client's side of HTTP/2 before whatever a server may send: the first byte chooses how many
// requests are open, the second how the rest is cut into pieces. Oracles: each stream hears one
// last call; bounds hold; a message that is whole is the same however its bytes were cut.
#include <algorithm>
#include <array>
#include <string>

#include <boost/asio/error.hpp>

#include "core/http2/client_session.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;

constexpr std::size_t most_streams = 4;

http2::SessionOptions small_options() {
    http2::SessionOptions options;
    options.header_bytes = 4096;
    options.fields = 20;
    return options;
}

const http2::SessionOptions options = small_options();

/// Keeps what it hears as text.
class Listener final : public http2::ClientStream {
  public:
    std::string heads, body, trailers;
    bool ended = false, failed_ = false;
    ErrorKind why{};

  private:
    static std::string text_of(const HeaderList& fields) {
        std::string text;
        std::size_t bytes = 0;
        for (const HeaderField& field : fields) {
            text.append(field.name).append(": ").append(field.value).append("\n");
            bytes += field.name.size() + field.value.size();
        }
        require(fields.size() <= options.fields, "more fields than allowed");
        require(bytes <= options.header_bytes, "larger section than allowed");
        return text;
    }

    void head_came(const ResponseHead& head) noexcept override {
        require(!ended && !failed_, "a head behind the last call");
        require(head.status >= 100 && head.status <= 599, "status out of range");
        heads.append(std::to_string(head.status)).append("\n").append(text_of(head.fields));
    }
    void body_came(std::string_view bytes) noexcept override {
        require(!ended && !failed_, "a body behind the last call");
        require(!heads.empty(), "a body before the head");
        body += bytes;
    }
    void response_ended(const HeaderList* fields) noexcept override {
        require(!ended && !failed_, "two last calls");
        ended = true;
        if (fields != nullptr) trailers = text_of(*fields);
    }
    void failed(const Error& error) noexcept override {
        require(!ended && !failed_, "two last calls");
        failed_ = true;
        why = error.kind;
    }
};

struct Outcome {
    std::array<Listener, most_streams> streams;
    bool fault = false, settled = false;
    bool over = false;     ///< nothing more was expected before the last piece came
    std::size_t said = 0;  ///< bytes that the client sent
};

void pull_all(http2::ClientSession& session, std::size_t& said) {
    char piece[4096];
    while (const std::size_t size = session.pull(piece))
        said += size;
}

void play(std::string_view input, std::size_t count, std::size_t piece, Outcome& outcome) {
    http2::ClientSession session(options);
    RequestHead head;
    head.method_text = "GET";
    head.scheme = "http";
    head.authority = "a.test";
    head.target = "/";
    for (std::size_t i = 0; i < count; ++i) {
        if (i == 1) {
            head.method = Method::head;
            head.method_text = "HEAD";
        }
        require(session.submit(outcome.streams[i], head), "no stream for a request");
    }
    std::size_t before = 0;
    pull_all(session, before);
    for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
        outcome.over = outcome.over || (session.going_away() && session.open_streams() == 0);
        session.feed(input.substr(0, piece));
    }
    pull_all(session, outcome.said);
    outcome.fault = session.fault() != nullptr;
    outcome.settled = session.settled();
    session.lost(boost::asio::error::eof);
    require(session.over() && session.open_streams() == 0, "streams outlive the connection");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = as_text(data, size);
    const std::size_t count = 1 + take_byte(input) % most_streams;
    const std::size_t piece = 1 + take_byte(input) % 32;
    Outcome whole, cut;
    play(input, count, std::max<std::size_t>(1, input.size()), whole);
    play(input, count, piece, cut);
    require(whole.settled == cut.settled, "SETTINGS came once and not the other time");
    // What stands behind the last message after a GOAWAY is not looked at, unless it came with it.
    require(whole.fault == cut.fault || cut.over, "a fault depends on how bytes come");
    for (std::size_t i = 0; i < count; ++i) {
        const Listener &a = whole.streams[i], &b = cut.streams[i];
        require(a.ended != a.failed_ && b.ended != b.failed_, "no last call");
        require(a.ended == b.ended, "whether a response is whole depends on how bytes come");
        require(a.heads == b.heads && a.trailers == b.trailers, "other heads");
        if (a.ended) require(a.body == b.body, "another body");
        if (a.failed_) require(a.why == b.why, "another reason");
    }
    return 0;
}
