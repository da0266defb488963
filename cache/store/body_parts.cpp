// StoredBody in its parts: how they are put together, by the packer or from elsewhere, and taken
// apart.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <malloc.h>

#include "cache/store/body.hpp"

namespace scrollgate {
namespace {

constexpr std::size_t table_at = 16;  // from the body's beginning

/// All but the last are whole blocks, and none is larger than what it holds.
bool are_blocks(std::span<const StoredBody::Part> parts) noexcept {
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const StoredBody::Part& part = parts[i];
        const bool last = i + 1 == parts.size();
        if (part.content > limits::cache_block || part.content == 0) return false;
        if (!last && part.content != limits::cache_block) return false;
        if (part.compressed ? part.bytes.size() >= part.content : part.bytes.size() != part.content)
            return false;
    }
    return true;
}

}  // namespace

std::size_t StoredBody::part_count() const noexcept {
    return many_ ? blocks() : size_ == 0 ? 0 : 1;
}

StoredBody* StoredBody::of_one(const Part& part, const Dictionary* dictionary) {
    const bool with_dictionary = part.compressed && dictionary != nullptr;
    const std::size_t before = with_dictionary ? sizeof(Dictionary*) : 0;
    StoredBody* const body = make(part.content, before + part.bytes.size());
    body->stored_ = static_cast<std::uint32_t>(part.bytes.size()) & 0xfffffU;
    body->compressed_ = part.compressed ? 1 : 0;
    body->with_dictionary_ = with_dictionary ? 1 : 0;
    if (with_dictionary) {
        std::memcpy(body->behind(), &dictionary, sizeof(dictionary));
        intrusive_ptr_add_ref(dictionary);
    }
    part.bytes.copy(body->behind() + before, part.bytes.size());
    return body;
}

StoredBody* StoredBody::of_blocks(std::span<const Block> all, std::uint64_t size) {
    const std::size_t bytes = all.size() * sizeof(Block);
    StoredBody* const body = make(size, table_at - sizeof(StoredBody) + bytes);
    body->many_ = 1;
    std::memcpy(body->table(), all.data(), bytes);
    std::size_t held = 0;
    for (const Block& block : all) {
        held += malloc_usable_size(block.data) + sizeof(std::size_t);
        if (block.compressed != 0) body->compressed_ = 1;
    }
    body->hold(held);
    return body;
}

boost::intrusive_ptr<const StoredBody> StoredBody::of_parts(std::span<const Part> parts,
                                                            const DictionaryRef& dictionary) {
    if (parts.size() > limits::cache_object_max / limits::cache_block || !are_blocks(parts))
        return nullptr;
    if (dictionary && parts.size() > 1) return nullptr;
    for (const Part& part : parts)
        if (part.compressed && !unpacks(dictionary.get(), part.bytes, part.content)) return nullptr;
    if (parts.empty()) return BodyRef(of_one({}, nullptr));
    if (parts.size() == 1) return BodyRef(of_one(parts.front(), dictionary.get()));
    std::vector<Block> blocks;
    std::uint64_t size = 0;
    for (const Part& part : parts) {
        auto* const memory = static_cast<char*>(std::malloc(part.bytes.size()));
        if (memory == nullptr) throw std::bad_alloc();
        part.bytes.copy(memory, part.bytes.size());
        blocks.push_back({memory, static_cast<std::uint32_t>(part.bytes.size()) & 0x7fffffffU,
                          part.compressed ? 1U : 0U});
        size += part.content;
    }
    return BodyRef(of_blocks(blocks, size));
}

StoredBody::Part StoredBody::part(std::size_t i) const noexcept {
    const Piece piece = piece_at(i * limits::cache_block);
    return {{piece.data, piece.stored}, piece.compressed, piece.content};
}

}  // namespace scrollgate
