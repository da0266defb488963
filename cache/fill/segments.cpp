#include "cache/fill/segments.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace scrollgate {

FillSegments::~FillSegments() {
    free(front_);
}

std::size_t FillSegments::fill_last(std::uint64_t length, std::string_view bytes) noexcept {
    if (last_ == nullptr) return 0;
    const std::size_t room = static_cast<std::size_t>(last_->end() - length);
    const std::size_t count = std::min(room, bytes.size());
    std::memcpy(last_->data() + (length - last_->begin), bytes.data(), count);
    return count;
}

FillSegment* FillSegments::make(std::uint64_t begin, std::size_t capacity) {
    const std::size_t size = sizeof(FillSegment) + capacity;
    const bool charged = store_.reserve(size);
    auto* const segment = new (::operator new(size)) FillSegment;
    segment->begin = begin;
    segment->capacity = capacity;
    segment->charge = charged ? size : 0;
    return segment;
}

void FillSegments::link(FillSegment* first) noexcept {
    (last_ == nullptr ? front_ : last_->next) = first;
    last_ = first;
    while (last_->next != nullptr)
        last_ = last_->next;
}

FillSegment* FillSegments::take_unread(bool all) noexcept {
    FillSegment* const taken = front_;
    FillSegment* end = nullptr;  // the last one that is taken
    while (front_ != nullptr && (front_ != last_ || all) && front_->readers.load() == 0) {
        end = front_;
        front_ = front_->next;
    }
    if (end == nullptr) return nullptr;
    end->next = nullptr;
    if (front_ == nullptr) last_ = nullptr;
    return taken;
}

void FillSegments::free(FillSegment* chain) noexcept {
    while (chain != nullptr) {
        FillSegment* const next = chain->next;
        if (chain->charge > 0) store_.release(chain->charge);
        chain->~FillSegment();
        ::operator delete(chain);
        chain = next;
    }
}

}  // namespace scrollgate
