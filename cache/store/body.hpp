// StoredBody: the bytes of a stored response in blocks of limits::cache_block, each raw or LZ4.
//
// BodyPacker makes one from bytes as they come; the last block may be shorter, no other. Immutable
// once made, and shared by reference: a response that is refreshed keeps its body, and so does every
// connection that is sending it. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "config/model.hpp"
#include "cache/store/dictionary.hpp"

namespace scrollgate {

class StoredBody : public boost::intrusive_ref_counter<StoredBody> {
  public:
    /// Content bytes.
    [[nodiscard]] std::uint64_t size() const noexcept;
    /// Bytes of memory it holds, its own structure included.
    [[nodiscard]] std::size_t charged() const noexcept;
    /// Some block is compressed.
    [[nodiscard]] bool compressed() const noexcept;

    /// The content from `offset` (< size()) to the end of its block: a view into the body if it is
    /// raw, else into `scratch`, which holds limits::cache_block bytes, or size() if that is less.
    [[nodiscard]] std::string_view read(std::uint64_t offset, std::span<char> scratch) const;
    /// read(offset) needs no scratch.
    [[nodiscard]] bool raw_at(std::uint64_t offset) const noexcept;
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
    void append(std::string_view bytes);
    /// Bytes of memory held by now.
    [[nodiscard]] std::size_t charged() const noexcept;
    /// The body. Once.
    [[nodiscard]] BodyRef finish();
};

}  // namespace scrollgate
