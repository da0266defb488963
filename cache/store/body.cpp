#include "cache/store/body.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>

#include "cache/entry.hpp"

namespace scrollgate {

struct StoredBody::Prefix {
    std::atomic<Ledger*> ledger{nullptr};
    std::size_t held = 0;  // by the blocks of a table
};

StoredBody* StoredBody::make(std::uint64_t size, std::size_t behind) {
    void* memory = std::malloc(sizeof(Prefix) + sizeof(StoredBody) + behind);
    if (memory == nullptr) throw std::bad_alloc();
    new (memory) Prefix;
    return new (static_cast<char*>(memory) + sizeof(Prefix))
        StoredBody(static_cast<std::uint32_t>(size));
}

StoredBody::Prefix& StoredBody::prefix() const noexcept {
    assert(!inside_);
    char* const at = const_cast<char*>(reinterpret_cast<const char*>(this));
    return *reinterpret_cast<Prefix*>(at - sizeof(Prefix));
}

char* StoredBody::behind() const noexcept {
    return const_cast<char*>(reinterpret_cast<const char*>(this + 1));
}

// The prefix is aligned to 8, so 16 bytes from the body's beginning are, too.
StoredBody::Block* StoredBody::table() const noexcept {
    assert(many_);
    return reinterpret_cast<Block*>(const_cast<char*>(reinterpret_cast<const char*>(this)) + 16);
}

std::size_t StoredBody::blocks() const noexcept {
    return (size_ + limits::cache_block - 1) / limits::cache_block;
}

const Dictionary* StoredBody::dictionary() const noexcept {
    if (!with_dictionary_) return nullptr;
    const Dictionary* found;
    std::memcpy(&found, behind(), sizeof(found));
    return found;
}

void StoredBody::forget_dictionary() const noexcept {
    if (const Dictionary* held = dictionary()) intrusive_ptr_release(held);
}

std::size_t StoredBody::charged() const noexcept {
    if (inside_) return 0;
    return malloc_usable_size(&prefix()) + sizeof(std::size_t) + prefix().held;
}

void StoredBody::hold(std::size_t bytes) noexcept {
    prefix().held = bytes;
}

StoredBody::Piece StoredBody::piece_at(std::uint64_t offset) const noexcept {
    assert(offset < size_);
    const std::uint64_t begin = offset - offset % limits::cache_block;
    const auto content =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(size_ - begin, limits::cache_block));
    const auto from = static_cast<std::uint32_t>(offset - begin);
    if (many_) {
        const Block& block = table()[offset / limits::cache_block];
        return {block.data, block.stored, block.compressed != 0, content, from};
    }
    const char* const data = behind() + (with_dictionary_ ? sizeof(Dictionary*) : 0);
    return {data, stored_, compressed_ != 0, content, from};
}

bool StoredBody::raw_at(std::uint64_t offset) const noexcept {
    return !piece_at(offset).compressed;
}

std::string_view StoredBody::read(std::uint64_t offset, std::span<char> scratch) const {
    const Piece piece = piece_at(offset);
    if (!piece.compressed) return {piece.data + piece.from, piece.content - piece.from};
    assert(scratch.size() >= piece.content);
    unpack(dictionary(), {piece.data, piece.stored}, scratch.first(piece.content));
    return {scratch.data() + piece.from, piece.content - piece.from};
}

bool StoredBody::fits_inside() const noexcept {
    return !many_ && stored_ <= limits::cache_inside;
}

std::size_t StoredBody::bytes_inside() const noexcept {
    return sizeof(StoredBody) + (with_dictionary_ ? sizeof(Dictionary*) : 0) + stored_;
}

const StoredBody* StoredBody::copy_inside(char* place, std::uint32_t back) const noexcept {
    assert(fits_inside());
    auto* copy = new (place) StoredBody(size_);
    copy->stored_ = stored_;
    copy->compressed_ = compressed_;
    copy->with_dictionary_ = with_dictionary_;
    copy->inside_ = 1;
    copy->count_.store(back, std::memory_order_relaxed);
    std::memcpy(copy->behind(), behind(), bytes_inside() - sizeof(StoredBody));
    if (const Dictionary* held = dictionary()) intrusive_ptr_add_ref(held);
    return copy;
}

bool StoredBody::is_charged() const noexcept {
    return inside_ || prefix().ledger.load(std::memory_order_relaxed) != nullptr;
}

bool StoredBody::hand_over(Ledger& ledger) const noexcept {
    Ledger* nobody = nullptr;
    return !inside_ && prefix().ledger.compare_exchange_strong(nobody, &ledger);
}

void StoredBody::end() const noexcept {
    Prefix& front = prefix();
    if (Ledger* ledger = front.ledger.load(std::memory_order_relaxed)) ledger->release(charged());
    forget_dictionary();
    for (std::size_t i = 0; many_ && i < blocks(); ++i)
        std::free(table()[i].data);
    std::free(&front);
}

namespace {

const CacheEntry* owner_of(const StoredBody* body, std::uint32_t back) noexcept {
    return reinterpret_cast<const CacheEntry*>(reinterpret_cast<const char*>(body) - back);
}

}  // namespace

void intrusive_ptr_add_ref(const StoredBody* body) noexcept {
    if (body->inside_)
        intrusive_ptr_add_ref(owner_of(body, body->count_.load(std::memory_order_relaxed)));
    else
        body->count_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const StoredBody* body) noexcept {
    if (body->inside_)
        intrusive_ptr_release(owner_of(body, body->count_.load(std::memory_order_relaxed)));
    else if (body->count_.fetch_sub(1, std::memory_order_acq_rel) == 1)
        body->end();
}

}  // namespace scrollgate
