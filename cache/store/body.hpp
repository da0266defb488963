// StoredBody: the bytes of a stored response in blocks of limits::cache_block, each raw or LZ4.
//
// BodyPacker makes one from bytes as they come; the last block may be shorter, no other. Immutable
// once made, and shared by reference: a response that is refreshed keeps its body, and so does
// every connection that is sending it. A small one lives inside of its entry, and a reference to it
// is one to that entry. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include "cache/store/dictionary.hpp"
#include "cache/store/ledger.hpp"
#include "config/model.hpp"

namespace scrollgate {

class StoredBody {
  public:
    StoredBody(const StoredBody&) = delete;
    StoredBody& operator=(const StoredBody&) = delete;

    /// Content bytes.
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
    /// Bytes of memory it holds, its own structure included; inside of an entry: 0, the entry's
    /// count has them.
    [[nodiscard]] std::size_t charged() const noexcept;
    /// Some block is compressed.
    [[nodiscard]] bool compressed() const noexcept { return compressed_; }

    /// The content from `offset` (< size()) to the end of its block: a view into the body if it is
    /// raw, else into `scratch`, which holds limits::cache_block bytes, or size() if that is less.
    [[nodiscard]] std::string_view read(std::uint64_t offset, std::span<char> scratch) const;
    /// read(offset) needs no scratch.
    [[nodiscard]] bool raw_at(std::uint64_t offset) const noexcept;

    // -- for those who keep it elsewhere
    /// A block as it is kept: raw, or LZ4.
    struct Part {
        std::string_view bytes;
        bool compressed = false;
        std::uint32_t content = 0;  ///< bytes when read
    };
    [[nodiscard]] std::size_t part_count() const noexcept;
    /// A view into the body.
    [[nodiscard]] Part part(std::size_t i) const noexcept;
    /// What its only part was compressed against; null: nothing.
    [[nodiscard]] const Dictionary* dictionary() const noexcept;
    /// A body of such parts, which are copied and may come from anywhere: what compressed ones hold
    /// is looked at. Null: they are no body.
    [[nodiscard]] static boost::intrusive_ptr<const StoredBody> of_parts(
        std::span<const Part> parts, const boost::intrusive_ptr<const Dictionary>& dictionary);

    // -- for CacheEntry and the store

    /// So small that an entry takes a copy.
    [[nodiscard]] bool fits_inside() const noexcept;
    /// Bytes of such a copy.
    [[nodiscard]] std::size_t bytes_inside() const noexcept;
    /// The copy, at `place`, which is aligned to 4, `back` bytes behind the beginning of its entry.
    [[nodiscard]] const StoredBody* copy_inside(char* place, std::uint32_t back) const noexcept;
    /// Ends a copy; others end with their last reference.
    void end_inside() const noexcept { forget_dictionary(); }
    /// Its memory is charged to some ledger already.
    [[nodiscard]] bool is_charged() const noexcept;
    /// Gives charged() bytes back to `ledger` at its end. False: it is charged already.
    [[nodiscard]] bool hand_over(Ledger& ledger) const noexcept;

    friend void intrusive_ptr_add_ref(const StoredBody* body) noexcept;
    friend void intrusive_ptr_release(const StoredBody* body) noexcept;

  private:
    friend class BodyPacker;
    struct Block {
        char* data;
        std::uint32_t stored : 31;
        std::uint32_t compressed : 1;
    };
    struct Prefix;  // what stands before one that is not inside of an entry
    /// One block, and the part of the content that it holds: what read() works on.
    struct Piece {
        const char* data;
        std::uint32_t stored;
        bool compressed;
        std::uint32_t content;  // bytes when read
        std::uint32_t from;     // where the offset is in them
    };

    explicit StoredBody(std::uint32_t size) noexcept : size_(size) {}
    static StoredBody* make(std::uint64_t size, std::size_t behind);

    [[nodiscard]] Prefix& prefix() const noexcept;
    void hold(std::size_t bytes) noexcept;  // so many by its blocks
    static StoredBody* of_one(const Part& part, const Dictionary* dictionary);
    static StoredBody* of_blocks(std::span<const Block> blocks, std::uint64_t size);
    [[nodiscard]] char* behind() const noexcept;
    [[nodiscard]] Block* table() const noexcept;
    [[nodiscard]] std::size_t blocks() const noexcept;
    [[nodiscard]] Piece piece_at(std::uint64_t offset) const noexcept;
    void forget_dictionary() const noexcept;
    void end() const noexcept;

    // References; inside of an entry: how far back the entry begins.
    mutable std::atomic<std::uint32_t> count_{0};
    std::uint32_t size_;
    std::uint32_t stored_ : 20 = 0;  // bytes of the only block
    std::uint32_t compressed_ : 1 = 0;
    std::uint32_t with_dictionary_ : 1 = 0;  // a Dictionary* stands behind
    std::uint32_t many_ : 1 = 0;             // a table of blocks stands behind
    std::uint32_t inside_ : 1 = 0;
    // Behind it: the Dictionary* if there is one, then the only block; or the table.
};
using BodyRef = boost::intrusive_ptr<const StoredBody>;

/// Takes a body as it comes and leaves blocks: each is compressed as soon as it is full, if that
/// saves at least an eighth; after two blocks that did not shrink no more are tried, and nothing is
/// tried for types that are compressed already. One thread.
class BodyPacker {
  public:
    /// `media_type` and `coding` are Content-Type and Content-Encoding. `dictionary` may be null.
    BodyPacker(config::Cache::Compression compression, std::string_view media_type,
               std::string_view coding, DictionaryRef dictionary);
    ~BodyPacker();
    BodyPacker(const BodyPacker&) = delete;
    BodyPacker& operator=(const BodyPacker&) = delete;

    /// Up to limits::cache_object_max bytes in all.
    void append(std::string_view bytes);
    /// Bytes of memory held by now.
    [[nodiscard]] std::size_t charged() const noexcept { return held_ + room_; }
    /// The body. Once.
    [[nodiscard]] BodyRef finish();

  private:
    struct Free {
        void operator()(char* memory) const noexcept;
    };
    using Memory = std::unique_ptr<char, Free>;

    void grow(std::size_t more);
    void seal_block();
    StoredBody* finish_one();
    StoredBody* finish_many();

    bool tries_;  // compressing is worth a try
    DictionaryRef dictionary_;
    Memory block_;  // the one that is being filled: room_ bytes, filled_ of them used
    std::size_t room_ = 0;
    std::size_t filled_ = 0;
    std::uint64_t size_ = 0;
    std::size_t held_ = 0;  // by sealed blocks
    unsigned failures_ = 0;
    std::vector<StoredBody::Block> sealed_;
};

}  // namespace scrollgate
