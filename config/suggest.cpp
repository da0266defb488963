#include "config/suggest.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace scrollgate::config {
namespace {

constexpr std::size_t longest_word = 64;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    if (a.size() > longest_word || b.size() > longest_word) return no_slip;
    // Three rows of the table are enough: the one before last serves the swap.
    std::array<std::size_t, longest_word + 1> before{}, last{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

std::string folded(std::string_view word) {
    std::string out;
    for (const char c : word)
        if (c != '-' && c != '_' && c != ' ') out += lower(c);
    return out;
}

std::size_t slip_distance(std::string_view word, std::string_view known) {
    const std::string a = folded(word), b = folded(known);
    if (a.empty() || b.empty()) return no_slip;
    const std::size_t distance = edit_distance(a, b);
    const std::size_t shorter = std::min(a.size(), b.size());
    // One edit in a short word, more as words grow; a whole added ending ("path" for
    // "path_prefix") is too vague to be a slip.
    const std::size_t allowed = shorter <= 2 ? 0 : std::max<std::size_t>(1, shorter / 3);
    return distance <= allowed ? distance : no_slip;
}

std::string_view closest(std::string_view word, const std::vector<std::string_view>& known) {
    std::string_view best;
    std::size_t best_distance = no_slip;
    for (const std::string_view candidate : known) {
        const std::size_t distance = slip_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string_view closest_unit(std::string_view word,
                              std::initializer_list<std::string_view> units) {
    const std::string a = folded(word);
    for (const std::string_view unit : units)
        if (a == folded(unit)) return unit;
    if (a.empty()) return {};
    for (const std::string_view unit : units) {
        const std::string b = folded(unit);
        const bool slip = a[0] == b[0] && edit_distance(a, b) == 1;     // "kb"
        if (slip || b.starts_with(a) || a.starts_with(b)) return unit;  // "k", "sec", "Kb", "hours"
    }
    return {};
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string_view best = closest(word, known);
    return best.empty() ? std::string() : fmt::format(" (did you mean {}?)", best);
}

std::string either(const std::vector<std::string_view>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
        out += words[i];
    }
    return out;
}

}  // namespace scrollgate::config
