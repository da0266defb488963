#include "cache/store/dictionary.hpp"

#include <cstdlib>

#include <lz4.h>

#include "cache/store/store.hpp"

namespace scrollgate {

Dictionary::Dictionary(std::uint64_t id, std::string text, CacheStore* charged_to)
    : id_(id),
      text_(std::move(text)),
      name_(hash128(text_)),
      charged_to_(charged_to),
      loaded_(std::make_unique<LZ4_stream_u>()) {
    LZ4_initStream(loaded_.get(), sizeof(LZ4_stream_u));
    LZ4_loadDict(loaded_.get(), text_.data(), static_cast<int>(text_.size()));
}

Dictionary::~Dictionary() {
    if (charged_to_ != nullptr) charged_to_->release(charged());
}

std::size_t Dictionary::charged() noexcept {
    return sizeof(Dictionary) + sizeof(LZ4_stream_u) + limits::dictionary + 64;
}

std::size_t pack(const Dictionary* dictionary, std::string_view content,
                 std::span<char> into) noexcept {
    const int size = static_cast<int>(content.size());
    const int most = static_cast<int>(into.size());
    int got = 0;
    if (dictionary == nullptr) {
        got = LZ4_compress_default(content.data(), into.data(), size, most);
    } else {
        // What was loaded once is copied: Debian's library does not export the call that would
        // only refer to it.
        LZ4_stream_u stream = *dictionary->loaded_;
        got = LZ4_compress_fast_continue(&stream, content.data(), into.data(), size, most, 1);
    }
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

namespace {

/// Bytes of content; negative: no block, or one that does not fit into `into`.
int unpacked(const Dictionary* dictionary, std::string_view block, std::span<char> into) noexcept {
    const int size = static_cast<int>(block.size());
    const int most = static_cast<int>(into.size());
    if (dictionary == nullptr) return LZ4_decompress_safe(block.data(), into.data(), size, most);
    return LZ4_decompress_safe_usingDict(block.data(), into.data(), size, most,
                                         dictionary->text().data(),
                                         static_cast<int>(dictionary->text().size()));
}

}  // namespace

bool unpacks(const Dictionary* dictionary, std::string_view block, std::size_t size) {
    if (size > limits::cache_block) return false;
    thread_local const auto scratch = std::make_unique<char[]>(limits::cache_block);
    return unpacked(dictionary, block, {scratch.get(), size}) == static_cast<int>(size);
}

void unpack(const Dictionary* dictionary, std::string_view block, std::span<char> into) noexcept {
    if (unpacked(dictionary, block, into) != static_cast<int>(into.size())) std::abort();
}

}  // namespace scrollgate
