#include "core/grpc.hpp"

#include <algorithm>
#include <charconv>

#include "core/field.hpp"

namespace scrollgate::grpc {
namespace {

struct Words {
    std::string_view name, digits;
};

constexpr std::array<Words, statuses> words{{{"ok", "0"},
                                             {"cancelled", "1"},
                                             {"unknown", "2"},
                                             {"invalid_argument", "3"},
                                             {"deadline_exceeded", "4"},
                                             {"not_found", "5"},
                                             {"already_exists", "6"},
                                             {"permission_denied", "7"},
                                             {"resource_exhausted", "8"},
                                             {"failed_precondition", "9"},
                                             {"aborted", "10"},
                                             {"out_of_range", "11"},
                                             {"unimplemented", "12"},
                                             {"internal", "13"},
                                             {"unavailable", "14"},
                                             {"data_loss", "15"},
                                             {"unauthenticated", "16"}}};

constexpr std::size_t most_digits = 8;
constexpr std::int64_t beyond = 100'000'000;  // the first number that has more

constexpr Duration longest = std::chrono::hours(24 * 365 * 100);  // what is longer has no end

struct Unit {
    char letter;
    std::int64_t ns;
};

/// The finest first.
constexpr std::array<Unit, 6> units{{{'n', 1},
                                     {'u', 1'000},
                                     {'m', 1'000'000},
                                     {'S', 1'000'000'000},
                                     {'M', 60'000'000'000},
                                     {'H', 3'600'000'000'000}}};

}  // namespace

std::string_view name(Status status) noexcept {
    return words[static_cast<std::size_t>(status)].name;
}

std::string_view digits(Status status) noexcept {
    return words[static_cast<std::size_t>(status)].digits;
}

Status status_from(std::string_view text) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i)
        if (words[i].digits == text) return static_cast<Status>(i);
    return Status::unknown;
}

bool is_content_type(std::string_view text) noexcept {
    constexpr std::string_view type = "application/grpc";
    if (text.size() < type.size() || !equal_no_case(text.substr(0, type.size()), type))
        return false;
    if (text.size() == type.size()) return true;
    const char next = text[type.size()];
    return next == '+' || next == ';' || next == ' ' || next == '\t';
}

std::optional<Duration> timeout_from(std::string_view text) noexcept {
    if (text.size() < 2 || text.size() > most_digits + 1) return std::nullopt;
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const Unit& one) { return one.letter == text.back(); });
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size() - 1;
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (unit == units.end() || failure != std::errc{} || stop != end) return std::nullopt;
    if (number > longest.count() / unit->ns) return no_limit;
    return Duration(number * unit->ns);
}

std::string_view timeout_text(Duration left, std::array<char, 9>& storage) noexcept {
    const std::int64_t ns = left.count();
    const auto unit = std::find_if(units.begin(), units.end() - 1,
                                   [&](const Unit& one) { return ns / one.ns < beyond; });
    char* end = std::to_chars(storage.data(), storage.data() + most_digits, ns / unit->ns).ptr;
    *end++ = unit->letter;
    return {storage.data(), static_cast<std::size_t>(end - storage.data())};
}

}  // namespace scrollgate::grpc
