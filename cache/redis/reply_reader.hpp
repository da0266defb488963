// ReplyReader: bytes from a server into Replies, by hiredis' reader, within bounds.
//
// hiredis knows the grammar; its objects are ours, so that a length in a header allocates nothing
// that has not come: a reply has at most `most` bytes and limits::redis_elements elements, a line
// 64 KiB, and arrays nest seven deep (hiredis' own bound). What ends a text is checked, too, which
// hiredis does not: a shifted stream is found at the next text. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "cache/redis/reply.hpp"

struct redisReader;  // hiredis' own

namespace scrollgate::redis {

class ReplyReader {
  public:
    /// `most` bytes of one reply.
    explicit ReplyReader(std::size_t most);
    ~ReplyReader();
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;

    /// Copies `bytes` behind those that are there. Call next() until it has no more.
    void feed(std::string_view bytes);

    enum class Next : std::uint8_t { reply, more, broken };
    /// The next whole reply goes to `into`. After `broken` nothing comes any more.
    [[nodiscard]] Next next(Reply& into);
    /// What was wrong, after `broken`: for people, without any byte of the server's.
    [[nodiscard]] std::string_view wrong() const noexcept { return wrong_; }

  private:
    struct Objects;
    friend struct Objects;
    struct Free {
        void operator()(redisReader* reader) const noexcept;
    };
    [[nodiscard]] bool endless() const noexcept;
    Next fail(std::string_view wrong) noexcept;

    std::unique_ptr<redisReader, Free> reader_;
    std::size_t most_;
    std::size_t bytes_ = 0;     ///< of the reply that is not whole yet
    std::size_t elements_ = 0;  ///< likewise
    std::string_view wrong_;
};

}  // namespace scrollgate::redis
