#include "cache/tier/log_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <span>

#include <fmt/format.h>
#include <xxhash.h>  // compiled in: XXH_INLINE_ALL

#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

constexpr unsigned sequence_bits = 22;
constexpr std::uint64_t sequence_most = (1ULL << sequence_bits) - 1;
constexpr std::uint64_t milliseconds_most = (1ULL << (64 - sequence_bits)) - 1;

std::optional<std::uint64_t> number_of(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

using Fields = std::vector<redis::Reply>;
using Names = std::span<const std::string_view>;

/// The fields of a record, "name value name value"; null: `reply` is none.
const Fields* fields_of(const redis::Reply& reply, Position& position) noexcept {
    if (!reply.is_array() || reply.elements.size() != 2) return nullptr;
    const std::optional<Position> found = position_of(reply.elements[0].text);
    if (!found || !reply.elements[1].is_array()) return nullptr;
    position = *found;
    return &reply.elements[1].elements;
}

std::string_view field(const Fields& fields, std::string_view name) noexcept {
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2)
        if (fields[i].text == name) return fields[i + 1].text;
    return {};
}

// ---- version and check

constexpr std::string_view version = "2";
/// What records of version 1, which said neither, can have.
constexpr std::array<std::string_view, 6> purge_names{"by",     "token", "what",
                                                      "scheme", "soft",  "counted"};
constexpr std::array<std::string_view, 3> node_names{"node", "followed", "covered"};

/// Of words and of where each ends.
class Check {
  public:
    void add(std::string_view word) noexcept {
        const auto size = static_cast<std::uint32_t>(word.size());
        const std::uint64_t seed = XXH3_64bits_withSeed(&size, sizeof size, sum_);
        sum_ = XXH3_64bits_withSeed(word.data(), word.size(), seed);
    }
    [[nodiscard]] std::string text() const { return fmt::format("{:016x}", sum_); }

  private:
    std::uint64_t sum_ = 0;
};

/// Whether the fields are as somebody has written them.
Unreadable judge(const Fields& fields, Names old_names) {
    if (fields.empty() || fields.size() % 2 != 0) return Unreadable::cut;
    const std::size_t last = fields.size() - 2;
    const bool sealed = fields[last].text == "check";
    const std::string_view says = field(fields, "v");
    if (says.empty() && !sealed) {
        for (std::size_t i = 0; i < fields.size(); i += 2)
            if (std::find(old_names.begin(), old_names.end(), fields[i].text) == old_names.end())
                return Unreadable::foreign;
        return Unreadable::no;
    }
    if (!says.empty() && says != version) return Unreadable::version;
    if (says.empty() || !sealed) return Unreadable::broken;
    Check check;
    for (std::size_t i = 0; i < last; ++i)
        check.add(fields[i].text);
    return check.text() == fields[last + 1].text ? Unreadable::no : Unreadable::broken;
}

// ---- purges

char letter_of(const LogRecord& record) noexcept {
    if (record.reset) return 'r';
    switch (record.purge.by) {
        case Purge::By::url:
            return 'u';
        case Purge::By::prefix:
            return 'p';
        case Purge::By::tag:
            return 't';
        case Purge::By::all:
            return 'a';
    }
    return 'a';
}

bool take_kind(std::string_view letter, LogRecord& into) noexcept {
    if (letter == "r") into.reset = true;
    if (letter == "u") into.purge.by = Purge::By::url;
    if (letter == "p") into.purge.by = Purge::By::prefix;
    if (letter == "t") into.purge.by = Purge::By::tag;
    if (letter == "a") into.purge.by = Purge::By::all;
    return letter.size() == 1 && std::string_view("rupta").find(letter) != std::string_view::npos;
}

/// "<id>=<number> …"; what is none is left out.
std::vector<Covered> covered_in(std::string_view text) {
    std::vector<Covered> all;
    while (!text.empty() && all.size() < limits::tier_covered) {
        const std::string_view one = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        const std::size_t mark = one.find('=');
        if (mark == std::string_view::npos) continue;
        const std::optional<Position> purge = position_of(one.substr(0, mark));
        const auto objects = number_of(one.substr(mark + 1));
        if (purge && objects) all.push_back({*purge, *objects});
    }
    return all;
}

}  // namespace

std::optional<Position> position_of(std::string_view id) noexcept {
    const std::size_t dash = id.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto milliseconds = number_of(id.substr(0, dash));
    const auto sequence = number_of(id.substr(dash + 1));
    if (!milliseconds || !sequence || *milliseconds > milliseconds_most ||
        *sequence > sequence_most)
        return std::nullopt;
    return (*milliseconds << sequence_bits) | *sequence;
}

std::string id_of(Position position) {
    return fmt::format("{}-{}", position >> sequence_bits, position & sequence_most);
}

Position position_at(std::int64_t milliseconds) noexcept {
    return static_cast<Position>(milliseconds) << sequence_bits;
}

std::int64_t milliseconds_of(Position position) noexcept {
    return static_cast<std::int64_t>(position >> sequence_bits);
}

LogRecord of_everything(Position position) {
    LogRecord record;
    record.position = position;
    record.purge.by = Purge::By::all;
    record.purge.counted = false;
    return record;
}

std::string make_token(std::uint64_t random) {
    return fmt::format("{:016x}", random);
}

void seal(std::vector<std::string>& words) {
    words.insert(words.end(), {"v", std::string(version)});
    Check check;
    for (const std::string& word : words)
        check.add(word);
    words.insert(words.end(), {"check", check.text()});
}

std::vector<std::string> words_of(const LogRecord& record) {
    std::vector<std::string> words{"by", std::string(1, letter_of(record)), "token", record.token};
    if (record.after != 0) words.insert(words.end(), {"after", id_of(record.after)});
    if (!record.reset) {
        const Purge& purge = record.purge;
        words.insert(words.end(), {"what", purge.what});
        if (!purge.scheme.empty()) words.insert(words.end(), {"scheme", purge.scheme});
        if (purge.soft) words.insert(words.end(), {"soft", "1"});
        if (purge.counted) words.insert(words.end(), {"counted", "1"});
    }
    seal(words);
    return words;
}

Unreadable read_purge(const redis::Reply& reply, LogRecord& into) {
    into = of_everything(0);
    const Fields* const fields = fields_of(reply, into.position);
    if (fields == nullptr) return Unreadable::foreign;
    if (const Unreadable why = judge(*fields, purge_names); why != Unreadable::no) return why;
    LogRecord record;
    record.position = into.position;
    record.checked = !field(*fields, "v").empty();
    if (!take_kind(field(*fields, "by"), record)) return Unreadable::foreign;
    record.token = field(*fields, "token");
    record.after = position_of(field(*fields, "after")).value_or(0);
    record.purge.what = field(*fields, "what");
    record.purge.scheme = field(*fields, "scheme");
    record.purge.soft = field(*fields, "soft") == "1";
    record.purge.counted = field(*fields, "counted") == "1";
    const bool needs = !record.reset && record.purge.by != Purge::By::all;
    if (record.purge.what.size() > limits::cache_key || (needs && record.purge.what.empty()))
        return Unreadable::foreign;
    if (record.after >= record.position) return Unreadable::foreign;
    into = std::move(record);
    return Unreadable::no;
}

// ---- nodes

std::vector<std::string> words_of(const NodeRecord& record) {
    std::vector<std::string> words{"node", record.node, "followed", id_of(record.followed)};
    std::string covered;
    for (const Covered& one : record.covered)
        fmt::format_to(std::back_inserter(covered), "{}{}={}", covered.empty() ? "" : " ",
                       id_of(one.purge), one.objects);
    if (!covered.empty()) words.insert(words.end(), {"covered", std::move(covered)});
    seal(words);
    return words;
}

std::optional<NodeRecord> read_node(const redis::Reply& reply, Position& position) {
    NodeRecord record;
    const Fields* const fields = fields_of(reply, record.position);
    if (fields == nullptr) return std::nullopt;
    position = record.position;
    if (judge(*fields, node_names) != Unreadable::no) return std::nullopt;
    record.node = field(*fields, "node");
    const std::optional<Position> followed = position_of(field(*fields, "followed"));
    if (record.node.empty() || record.node.size() > limits::tier_node_name || !followed)
        return std::nullopt;
    record.followed = *followed;
    record.covered = covered_in(field(*fields, "covered"));
    return record;
}

const std::vector<redis::Reply>* records_of(const redis::Reply& answer,
                                            std::string_view stream) noexcept {
    if (!answer.is_array()) return nullptr;
    for (const redis::Reply& one : answer.elements) {
        const bool whole = one.is_array() && one.elements.size() == 2;
        if (whole && one.elements[0].text == stream && one.elements[1].is_array())
            return &one.elements[1].elements;
    }
    return nullptr;
}

}  // namespace scrollgate::tier
