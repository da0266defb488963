#include "cache/entry.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

#include <malloc.h>

namespace scrollgate {

namespace {

bool has_cookie(const HeaderList& fields) noexcept {
    return std::any_of(fields.begin(), fields.end(), [](const HeaderField& field) {
        return field.id == Field::set_cookie || equal_no_case(field.name, "Set-Cookie2");
    });
}

}  // namespace

/// What a draft takes, before it is known to fit.
struct CacheEntry::Sizes {
    std::size_t wire = 0, tags = 0;
    std::size_t longest_tag = 0;
    bool outside = false;
    std::size_t body_at = 0;  // from the entry's beginning, if it is inside
    std::size_t whole = 0;

    explicit Sizes(const EntryDraft& draft) noexcept {
        if (draft.fields != nullptr)
            for (const HeaderField& field : *draft.fields)
                wire += field.name.size() + field.value.size() + 4;
        for (const std::string_view tag : draft.tags) {
            tags += sizeof(std::uint16_t) + tag.size();
            longest_tag = std::max(longest_tag, tag.size());
        }
        outside = draft.body != nullptr && !draft.body->fits_inside();
        const std::size_t end = sizeof(CacheEntry) + draft.tags.size() * sizeof(TagPlace) +
                                (outside ? sizeof(void*) : 0) + draft.key.size() + wire +
                                draft.vary.size() + tags;
        body_at = (end + 3) & ~std::size_t{3};
        whole = draft.body != nullptr && !outside ? body_at + draft.body->bytes_inside() : end;
    }

    [[nodiscard]] bool fit(const EntryDraft& draft) const noexcept {
        return draft.key.size() <= limits::cache_key && wire <= limits::cache_fields &&
               draft.vary.size() <= limits::cache_fields && tags <= limits::cache_fields &&
               draft.tags.size() <= limits::cache_tags && longest_tag <= limits::cache_tag_bytes;
    }
};

CacheEntry::CacheEntry(const EntryDraft& draft, const Sizes& sizes) noexcept
    : status_(draft.status),
      marker_(draft.body ? Marker::none : draft.marker),
      by_hand_(draft.by_hand),
      sets_cookie_(draft.fields != nullptr && has_cookie(*draft.fields)),
      body_outside_(sizes.outside),
      freshness_(draft.freshness),
      key_size_(static_cast<std::uint16_t>(draft.key.size())),
      wire_size_(static_cast<std::uint16_t>(sizes.wire)),
      vary_size_(static_cast<std::uint16_t>(draft.vary.size())),
      tags_size_(static_cast<std::uint16_t>(sizes.tags)),
      tag_count_(static_cast<std::uint8_t>(draft.tags.size())) {
    write_text(draft);
    if (draft.body == nullptr) return;
    auto* const self = reinterpret_cast<char*>(this);
    if (body_outside_) {
        const StoredBody* body = draft.body.get();
        intrusive_ptr_add_ref(body);
        std::memcpy(const_cast<char*>(text()) - sizeof(body), &body, sizeof(body));
    } else {
        (void)draft.body->copy_inside(self + sizes.body_at,
                                      static_cast<std::uint32_t>(sizes.body_at));
    }
}

void CacheEntry::write_text(const EntryDraft& draft) noexcept {
    char* at = const_cast<char*>(text());
    const auto put = [&at](std::string_view part) { at += part.copy(at, part.size()); };
    put(draft.key);
    if (draft.fields != nullptr)
        for (const HeaderField& field : *draft.fields) {
            put(field.name);
            put(": ");
            put(field.value);
            put("\r\n");
        }
    put(draft.vary);
    for (const std::string_view tag : draft.tags) {
        const auto size = static_cast<std::uint16_t>(tag.size());
        std::memcpy(at, &size, sizeof(size));
        at += sizeof(size);
        put(tag);
    }
}

CacheEntry::~CacheEntry() {
    if (is_marker()) return;
    if (body_outside_)
        intrusive_ptr_release(&body());
    else
        body().end_inside();
}

EntryRef CacheEntry::make(const EntryDraft& draft) {
    const Sizes sizes(draft);
    if (!sizes.fit(draft)) return nullptr;
    void* const memory = std::malloc(sizes.whole);
    if (memory == nullptr) throw std::bad_alloc();
    return EntryRef(new (memory) CacheEntry(draft, sizes));
}

void CacheEntry::end() const noexcept {
    if (standing_.ledger != nullptr) standing_.ledger->release(own_bytes());
    auto* const self = const_cast<CacheEntry*>(this);
    self->~CacheEntry();
    std::free(self);
}

void CacheEntry::fields(HeaderList& into) const {
    std::string_view rest = wire();
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        const std::size_t end = rest.find('\r', colon);
        into.add(rest.substr(0, colon), rest.substr(colon + 2, end - colon - 2));
        rest.remove_prefix(end + 2);
    }
}

std::vector<std::string_view> CacheEntry::tags() const {
    std::vector<std::string_view> found;
    found.reserve(tag_count_);
    each_tag([&](std::string_view tag, std::size_t) { found.push_back(tag); });
    return found;
}

const StoredBody& CacheEntry::body() const noexcept {
    assert(!is_marker());
    if (body_outside_) {
        const StoredBody* body;
        std::memcpy(&body, text() - sizeof(body), sizeof(body));
        return *body;
    }
    const char* const self = reinterpret_cast<const char*>(this);
    const auto end = static_cast<std::size_t>(tag_text() + tags_size_ - self);
    return *reinterpret_cast<const StoredBody*>(self + ((end + 3) & ~std::size_t{3}));
}

BodyRef CacheEntry::body_ref() const noexcept {
    return BodyRef(is_marker() ? nullptr : &body());
}

std::size_t CacheEntry::own_bytes() const noexcept {
    return malloc_usable_size(const_cast<CacheEntry*>(this)) + sizeof(std::size_t);
}

std::size_t CacheEntry::body_bytes() const noexcept {
    return body_outside_ ? body().charged() : 0;
}

CacheEntry::TagPlace* CacheEntry::tag_places() const noexcept {
    return reinterpret_cast<TagPlace*>(const_cast<char*>(behind()));
}

void intrusive_ptr_add_ref(const CacheEntry* entry) noexcept {
    entry->count_.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const CacheEntry* entry) noexcept {
    if (entry->count_.fetch_sub(1, std::memory_order_acq_rel) == 1) entry->end();
}

}  // namespace scrollgate
