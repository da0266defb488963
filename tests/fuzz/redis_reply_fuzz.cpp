// Fuzz target: replies of Redis, whole and in pieces, against a reader of its own; and what is made
// of them: slots of a cluster, redirections, records of a fleet's streams. The first byte says
// where the bytes are cut.
#include <optional>
#include <vector>

#include "cache/redis/reply_reader.hpp"
#include "cache/redis/topology.hpp"
#include "cache/tier/log_record.hpp"
#include "core/limits.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace scrollgate;
using namespace scrollgate::redis;
using scrollgate::fuzz::require;

namespace {

using Kind = Reply::Kind;
using Next = ReplyReader::Next;

constexpr std::size_t most = 4096;

bool equal(const Reply& a, const Reply& b) {
    if (a.kind != b.kind || a.integer != b.integer || a.text != b.text ||
        a.elements.size() != b.elements.size())
        return false;
    for (std::size_t i = 0; i < a.elements.size(); ++i)
        if (!equal(a.elements[i], b.elements[i])) return false;
    return true;
}

/// A second reading of the grammar, strict: nothing where it is not whole, or not sure.
class Naive {
  public:
    explicit Naive(std::string_view bytes) : bytes_(bytes) {}
    std::optional<Reply> next(int depth = 0) {
        if (depth > 6) return {};
        const std::size_t end = bytes_.find("\r\n");
        if (end == bytes_.npos || end == 0) return {};
        const char mark = bytes_[0];
        const std::string_view line = bytes_.substr(1, end - 1);
        bytes_.remove_prefix(end + 2);
        Reply reply;
        if (mark == '+' || mark == '-') {
            reply.kind = mark == '+' ? Kind::status : Kind::error;
            reply.text = line;
            return reply;
        }
        const auto number = integer(line);
        if (!number) return {};
        if (mark == ':') {
            reply.kind = Kind::integer;
            reply.integer = *number;
            return reply;
        }
        if (mark != '$' && mark != '*') return {};
        if (*number == -1) return reply;
        if (*number < 0 || *number > 100'000) return {};
        const auto count = static_cast<std::size_t>(*number);
        return mark == '$' ? text(count) : array(count, depth);
    }

  private:
    /// As a server writes it.
    static std::optional<std::int64_t> integer(std::string_view line) {
        const bool negative = line.starts_with('-');
        const std::string_view digits = line.substr(negative ? 1 : 0);
        if (digits.empty() || digits.size() > 17) return {};
        if (digits[0] == '0' && (digits.size() > 1 || negative)) return {};
        std::int64_t value = 0;
        for (const char c : digits) {
            if (c < '0' || c > '9') return {};
            value = value * 10 + (c - '0');
        }
        return negative ? -value : value;
    }
    std::optional<Reply> text(std::size_t size) {
        if (bytes_.size() < size + 2 || bytes_.substr(size, 2) != "\r\n") return {};
        Reply reply;
        reply.kind = Kind::text;
        reply.text = bytes_.substr(0, size);
        bytes_.remove_prefix(size + 2);
        return reply;
    }
    std::optional<Reply> array(std::size_t size, int depth) {
        Reply reply;
        reply.kind = Kind::array;
        for (std::size_t i = 0; i < size; ++i) {
            std::optional<Reply> element = next(depth + 1);
            if (!element) return {};
            reply.elements.push_back(*std::move(element));
        }
        return reply;
    }

    std::string_view bytes_;
};

struct Read {
    std::vector<Reply> replies;
    bool broken = false;
};

Read read(std::initializer_list<std::string_view> parts) {
    ReplyReader reader(most);
    Read all;
    for (const std::string_view part : parts) {
        reader.feed(part);
        for (;;) {
            Reply reply;
            const Next next = reader.next(reply);
            all.broken = next == Next::broken;
            if (next != Next::reply) break;
            all.replies.push_back(std::move(reply));
        }
    }
    require(all.broken == !reader.wrong().empty(), "whoever breaks says why");
    return all;
}

void look(const Reply& reply) {
    const NodeName asked{"asked.test", 1};
    if (const auto ranges = read_slots(reply, asked)) {
        for (const SlotRange& range : *ranges) {
            require(range.first <= range.last && range.last < 16'384, "slots exist");
            require(!range.master.host.empty() && range.master.port != 0, "masters have a place");
        }
    }
    if (const auto to = read_redirection(reply, asked)) {
        require(
            reply.is_error() && to->slot < 16'384 && to->node.port != 0 && !to->node.host.empty(),
            "a redirection leads somewhere");
    }
    // What these make of words is the business of tier_log.
    tier::LogRecord purge;
    tier::Position position = 0;
    static_cast<void>(tier::read_purge(reply, purge));
    static_cast<void>(tier::read_node(reply, position));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    const std::size_t wish = scrollgate::fuzz::take_byte(input);  // shortens the input
    const std::size_t cut = wish % (input.size() + 1);
    const Read whole = read({input});
    const Read pieces = read({input.substr(0, cut), input.substr(cut)});
    // A bound may strike earlier when less was read at a time; never may the answers differ.
    const std::size_t both = std::min(whole.replies.size(), pieces.replies.size());
    for (std::size_t i = 0; i < both; ++i)
        require(equal(whole.replies[i], pieces.replies[i]), "a cut changes nothing");
    if (!whole.broken && !pieces.broken)
        require(whole.replies.size() == pieces.replies.size(), "nor how many there are");
    Naive naive(input);
    for (const Reply& reply : whole.replies) {
        look(reply);
        const std::optional<Reply> expected = naive.next();
        if (!expected) return 0;
        require(equal(reply, *expected), "both readings agree");
    }
    if (!whole.broken) require(!naive.next(), "what is whole is read");
    return 0;
}
