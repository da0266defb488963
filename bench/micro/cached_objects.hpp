// Objects for a CacheStore, as an origin of metadata gives them: for what is measured of the store.
#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cache/store/store.hpp"
#include "config/model.hpp"
#include "core/arena.hpp"
#include "core/clock.hpp"

namespace scrollgate::bench {

/// A request for object `number`; its key is what find() wants. Views into itself: neither copied
/// nor moved.
class ObjectRequest {
  public:
    ObjectRequest() {
        route_.enabled = true;
        route_.partition = "metadata";
        head_.method_text = "GET";
        head_.authority = "market.example";
    }
    ObjectRequest(const ObjectRequest&) = delete;
    ObjectRequest& operator=(const ObjectRequest&) = delete;

    /// Makes it one for `number`.
    const CacheKey& ask_for(std::uint64_t number) {
        target_.clear();
        fmt::format_to(std::back_inserter(target_), "/token/{}", number);
        head_.target = head_.path = {target_.data(), target_.size()};
        return make();
    }
    /// The key anew.
    const CacheKey& make() {
        arena_.clear();
        if (make_key(route_, "http", head_, head_.target, arena_, key_) != CacheReason::none)
            key_.text.clear();
        return key_;
    }
    [[nodiscard]] const CacheKey& key() const noexcept { return key_; }
    [[nodiscard]] RequestHead& head() noexcept { return head_; }
    [[nodiscard]] const HeaderList& fields() const noexcept { return head_.fields; }

  private:
    config::RouteCache route_;
    RequestHead head_;
    fmt::memory_buffer target_;
    Arena arena_;
    CacheKey key_;
};

/// What is stored of a response besides its key and body: usual fields, fresh for an hour.
class ObjectDraft {
  public:
    explicit ObjectDraft(const Clock& clock) {
        fields_.add("Content-Type", "application/json");
        fields_.add("Date", "Thu, 01 Jan 2026 00:00:00 GMT");
        fields_.add("Cache-Control", "public, max-age=3600");
        fields_.add("ETag", "\"5f1c2a7b-400\"");
        draft_.fields = &fields_;
        draft_.freshness.received = clock.now();
        draft_.freshness.lifetime = 3600;
        draft_.freshness.has_validator = true;
    }
    ObjectDraft(const ObjectDraft&) = delete;
    ObjectDraft& operator=(const ObjectDraft&) = delete;

    /// For `key`, which stays where it is until the draft is inserted.
    const EntryDraft& of(const CacheKey& key, BodyRef body) {
        draft_.key = key.text;
        draft_.body = std::move(body);
        return draft_;
    }
    [[nodiscard]] EntryDraft& draft() noexcept { return draft_; }

  private:
    HeaderList fields_;
    EntryDraft draft_;
};

/// `content` as a body, compressed if that pays.
inline BodyRef packed(std::string_view content, config::Cache::Compression compression,
                      DictionaryRef dictionary) {
    BodyPacker packer(compression, "application/json", {}, std::move(dictionary));
    packer.append(content);
    return packer.finish();
}

/// Limits for a store of `entries` in up to `memory` bytes.
inline config::Cache limits_of(std::uint64_t entries, std::uint64_t memory) {
    config::Cache limits;
    limits.memory = memory;
    limits.max_entries = entries;
    return limits;
}

}  // namespace scrollgate::bench
