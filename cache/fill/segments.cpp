#include "cache/fill/segments.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace scrollgate {

FillSegments::~FillSegments() {
    free(front_);
    free(cut_);
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

bool FillSegments::is_read_beyond_front() const noexcept {
    for (const FillSegment* at = front_->next; at != nullptr; at = at->next)
        if (at->readers.load() > 0) return true;
    return false;
}

void FillSegments::cut_front() noexcept {
    FillSegment* const segment = front_;
    front_ = segment->next;
    segment->cut.store(true);
    segment->next = std::exchange(cut_, segment);
}

FillSegment* FillSegments::take_cut(FillSegment* segment) noexcept {
    FillSegment** at = &cut_;
    while (*at != segment)
        at = &(*at)->next;
    *at = std::exchange(segment->next, nullptr);
    return segment;
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
