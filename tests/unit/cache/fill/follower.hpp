// What the tests of fills need: a key, a head, and one who reads a fill as a client's worker would.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cache/fill/fill_reader.hpp"
#include "cache/store/key_place.hpp"
#include "core/task.hpp"
#include "tests/support/turns.hpp"

namespace scrollgate::testing {

using test::settle;

inline CacheKey key_for(std::string_view path) {
    CacheKey key;
    key.text = "p\nhttp\na.example\n";
    key.text.append(path).append("\n");
    key.hash = place_of(key.text).hash;
    return key;
}

inline FillHead shared_head(std::optional<std::uint64_t> length = std::nullopt) {
    FillHead head;
    head.response.status = 200;
    head.length = length;
    return head;
}

inline FillHead private_head() {
    FillHead head = shared_head();
    head.shared = false;
    head.reason = CacheReason::private_;
    return head;
}

/// Bytes of a body that differ by position.
inline std::string body_of(std::size_t size, std::size_t from = 0) {
    std::string body(size, '\0');
    for (std::size_t i = 0; i < size; ++i)
        body[i] = static_cast<char>('!' + (from + i) * 7 / 3 % 90);
    return body;
}

/// `text` is the first `size` bytes of it, or those from `from` on.
inline bool is_body(std::string_view text, std::size_t size, std::size_t from = 0) {
    return text == body_of(size, from);
}

/// Reads a fill to its end.
class Follower {
  public:
    Follower(FillRef fill, EventLoop& loop, TimePoint until = never)
        : reader(std::move(fill), loop), loop_(loop), until_(until) {}
    ~Follower() {
        reader.interrupt();
        settle(loop_);
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;
    /// Up to the first wait.
    void start() { child_.start(read()); }
    /// Reads at most `pieces` from now on.
    void start(std::size_t pieces) {
        pieces_ = pieces;
        start();
    }
    [[nodiscard]] bool running() const noexcept { return child_.running(); }

    FillReader reader;
    std::optional<FillReader::Woken> head, last;  ///< how the waits ended
    std::string body;

  private:
    Task<void> read() {
        if (!head) {
            last = head = co_await reader.head(until_);
            if (head != FillReader::Woken::ready) co_return;
        }
        while (pieces_ > 0 && !reader.at_end() && !reader.broken()) {
            last = co_await reader.more(until_);
            if (last != FillReader::Woken::ready) co_return;
            body.append(reader.take());
            --pieces_;
        }
    }

    EventLoop& loop_;
    TimePoint until_;
    std::size_t pieces_ = static_cast<std::size_t>(-1);
    Child child_;
};

/// The writer: appends pieces as room() allows.
class Writer {
  public:
    Writer(FillRef fill, EventLoop& loop) : fill_(std::move(fill)), loop_(loop) {}
    ~Writer() {
        if (running()) fill_->give_up();
        settle(loop_);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// `count` pieces of `size` bytes.
    void start(std::size_t count, std::size_t size) { child_.start(write(count, size)); }
    [[nodiscard]] bool running() const noexcept { return child_.running(); }

    std::size_t written = 0;  ///< pieces
    bool needed = true;       ///< what room() and append() said at last

  private:
    Task<void> write(std::size_t count, std::size_t size) {
        for (std::size_t i = 0; i < count; ++i) {
            needed = co_await fill_->room();
            if (!needed) co_return;
            needed = fill_->append(body_of(size, fill_->length()));
            if (!needed) co_return;
            ++written;
        }
    }

    FillRef fill_;
    EventLoop& loop_;
    Child child_;
};

}  // namespace scrollgate::testing
