// DashForm: a field name as CGI-style recipients read it, to whom '_' and '-' are the same.
//
// No allocation. Any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/field.hpp"

namespace scrollgate {

/// Whether somebody may read this name as another one.
[[nodiscard]] inline bool has_underscore(std::string_view name) noexcept {
    return name.find('_') != std::string_view::npos;
}

class DashForm {
  public:
    explicit DashForm(std::string_view name) noexcept
        : name_(name), size_(name.copy(text_.data(), text_.size())) {
        std::replace(text_.begin(), text_.begin() + size_, '_', '-');
    }
    /// As much of it as any name has that we know, and more.
    [[nodiscard]] std::string_view text() const noexcept { return {text_.data(), size_}; }
    /// The name is read as `other`.
    [[nodiscard]] bool is(std::string_view other) const noexcept {
        return name_.size() == other.size() && equal_no_case(text(), other.substr(0, size_)) &&
               equal_no_case(name_.substr(size_), other.substr(size_));
    }

  private:
    std::array<char, 256> text_;
    std::string_view name_;
    std::size_t size_;  ///< of text_
};

}  // namespace scrollgate
