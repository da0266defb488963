// "Did you mean": the closest of some known words. Stateless, any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace scrollgate::config {

/// Edits that turn `a` into `b`: insert, delete, replace, swap of neighbours (optimal string
/// alignment). Words longer than 64 characters count as far apart.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// Lower case without '-', '_' and spaces: "headerBytes", "header-bytes" and "header_bytes" are
/// one.
[[nodiscard]] std::string folded(std::string_view word);

/// Distance of the folded words if they are near enough to be a slip of one another, else npos.
[[nodiscard]] std::size_t slip_distance(std::string_view word, std::string_view known);
inline constexpr std::size_t no_slip = static_cast<std::size_t>(-1);

/// The known word that `word` most likely meant; empty if none is near.
[[nodiscard]] std::string_view closest(std::string_view word,
                                       const std::vector<std::string_view>& known);

/// A unit that differs only by case or by a letter; empty if none is near.
[[nodiscard]] std::string_view closest_unit(std::string_view word,
                                            std::initializer_list<std::string_view> units);

/// " (did you mean x?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string_view>& known);

/// "a, b or c"
[[nodiscard]] std::string either(const std::vector<std::string_view>& words);

}  // namespace scrollgate::config
