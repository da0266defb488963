// BodyPacker: from bytes as they come to blocks, compressed where that pays.
#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>

#include "cache/store/body.hpp"
#include "core/field.hpp"

namespace scrollgate {
namespace {

constexpr unsigned failures_most = 2;
constexpr std::size_t first_room = 512;

bool begins(std::string_view text, std::string_view with) noexcept {
    return text.size() >= with.size() && equal_no_case(text.substr(0, with.size()), with);
}

/// Types whose bytes are compressed already; what is not known is tried.
bool is_compressed_type(std::string_view type) noexcept {
    type = type.substr(0, type.find(';'));
    while (!type.empty() && (type.back() == ' ' || type.back() == '\t'))
        type.remove_suffix(1);
    constexpr std::array plain{"image/svg+xml", "image/bmp", "image/x-icon", "audio/wav"};
    if (std::any_of(plain.begin(), plain.end(),
                    [&](std::string_view name) { return equal_no_case(type, name); }))
        return false;
    constexpr std::array families{"image/", "video/", "audio/", "font/woff"};
    constexpr std::array types{"application/zip",
                               "application/gzip",
                               "application/zstd",
                               "application/x-xz",
                               "application/x-7z-compressed",
                               "application/x-gzip"};
    const auto in_family = [&](std::string_view name) { return begins(type, name); };
    const auto is = [&](std::string_view name) { return equal_no_case(type, name); };
    return std::any_of(families.begin(), families.end(), in_family) ||
           std::any_of(types.begin(), types.end(), is);
}

bool worth_a_try(config::Cache::Compression compression, std::string_view type,
                 std::string_view coding) noexcept {
    return compression == config::Cache::Compression::lz4 && !is_compressed_type(type) &&
           (coding.empty() || equal_no_case(coding, "identity"));
}

char* resized(char* memory, std::size_t size) {
    auto* const moved = static_cast<char*>(std::realloc(memory, size));
    if (moved == nullptr) throw std::bad_alloc();
    return moved;
}

std::size_t held_by(char* memory) noexcept {
    return malloc_usable_size(memory) + sizeof(std::size_t);
}

/// What a block may have at most to be worth unpacking it on every hit.
std::size_t packed_most(std::size_t size) noexcept {
    return size - size / 8;
}

}  // namespace

void BodyPacker::Free::operator()(char* memory) const noexcept {
    std::free(memory);
}

BodyPacker::BodyPacker(config::Cache::Compression compression, std::string_view media_type,
                       std::string_view coding, DictionaryRef dictionary)
    : tries_(worth_a_try(compression, media_type, coding)), dictionary_(std::move(dictionary)) {}

BodyPacker::~BodyPacker() {
    for (const StoredBody::Block& block : sealed_)
        std::free(block.data);
}

void BodyPacker::grow(std::size_t more) {
    const std::size_t wanted = std::max({filled_ + more, room_ * 2, first_room});
    room_ = std::min(wanted, limits::cache_block);
    block_.reset(resized(block_.release(), room_));
}

void BodyPacker::append(std::string_view bytes) {
    size_ += bytes.size();
    assert(size_ <= limits::cache_object_max);
    while (!bytes.empty()) {
        const std::size_t most = std::min(bytes.size(), limits::cache_block - filled_);
        if (filled_ + most > room_) grow(most);
        std::memcpy(block_.get() + filled_, bytes.data(), most);
        filled_ += most;
        bytes.remove_prefix(most);
        if (filled_ == limits::cache_block) seal_block();
    }
}

void BodyPacker::seal_block() {
    StoredBody::Block block{nullptr, 0, 0};
    if (tries_ && filled_ >= limits::cache_compressed) {
        Memory packed{resized(nullptr, packed_most(filled_))};
        const std::size_t got =
            pack(nullptr, {block_.get(), filled_}, {packed.get(), packed_most(filled_)});
        if (got != 0) {
            block = {resized(packed.release(), got), static_cast<std::uint32_t>(got) & 0xfffffU, 1};
        } else if (++failures_ == failures_most) {
            tries_ = false;
        }
    }
    // A block that stays raw is the buffer itself; else the buffer takes the next one.
    if (block.data == nullptr) {
        block = {resized(block_.release(), filled_), static_cast<std::uint32_t>(filled_) & 0xfffffU,
                 0};
        room_ = 0;
    }
    filled_ = 0;
    held_ += held_by(block.data);
    sealed_.push_back(block);
}

StoredBody* BodyPacker::finish_one() {
    const Dictionary* const dictionary =
        filled_ <= limits::dictionary_object ? dictionary_.get() : nullptr;
    std::size_t got = 0;
    Memory packed;
    if (tries_ && filled_ >= limits::cache_compressed) {
        const std::size_t most = packed_most(filled_);
        packed.reset(resized(nullptr, most));
        got = pack(dictionary, {block_.get(), filled_}, {packed.get(), most});
    }
    if (got == 0)
        return StoredBody::of_one(
            {{block_.get(), filled_}, false, static_cast<std::uint32_t>(filled_)}, nullptr);
    return StoredBody::of_one({{packed.get(), got}, true, static_cast<std::uint32_t>(filled_)},
                              dictionary);
}

StoredBody* BodyPacker::finish_many() {
    if (filled_ != 0) seal_block();
    StoredBody* const body = StoredBody::of_blocks(sealed_, size_);
    sealed_.clear();
    return body;
}

BodyRef BodyPacker::finish() {
    BodyRef body(sealed_.empty() ? finish_one() : finish_many());
    block_.reset();
    room_ = filled_ = held_ = 0;
    return body;
}

}  // namespace scrollgate
