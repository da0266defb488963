// Arena: text that lives as long as its owner, at addresses that do not move.
//
// A first block is part of the owner; more come from the heap and go back with clear(). For the
// field values that a proxy makes. One worker; no locks.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace scrollgate {

class Arena {
  public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// `size` bytes with undefined content.
    [[nodiscard]] char* take(std::size_t size) {
        if (size > static_cast<std::size_t>(limit_ - next_)) grow(size);
        return std::exchange(next_, next_ + size);
    }
    /// The parts, joined.
    [[nodiscard]] std::string_view join(std::initializer_list<std::string_view> parts) {
        std::size_t size = 0;
        for (const std::string_view part : parts)
            size += part.size();
        char* const text = take(size);
        char* at = text;
        for (const std::string_view part : parts)
            at += part.copy(at, part.size());
        return {text, size};
    }
    /// Everything handed out is gone.
    void clear() noexcept {
        more_.clear();
        next_ = first_.data();
        limit_ = first_.data() + first_.size();
    }

  private:
    static constexpr std::size_t block = 1024;

    void grow(std::size_t size) {
        const std::size_t room = size > block ? size : block;
        more_.push_back(std::make_unique<char[]>(room));
        next_ = more_.back().get();
        limit_ = next_ + room;
    }

    std::array<char, block> first_;
    char* next_ = first_.data();
    char* limit_ = first_.data() + first_.size();
    std::vector<std::unique_ptr<char[]>> more_;
};

}  // namespace scrollgate
