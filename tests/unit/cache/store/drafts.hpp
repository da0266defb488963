// What tests of the store put into it: keys of URLs, bodies, drafts with little around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cache/store/key_place.hpp"
#include "cache/store/store.hpp"

namespace scrollgate::test {

inline CacheKey key_of(std::string_view url, std::string_view partition = "p",
                       std::string_view scheme = "http", std::string_view chosen = {}) {
    const std::size_t slash = url.find('/');
    CacheKey key;
    key.text = std::string(partition) + "\n" + std::string(scheme) + "\n" +
               std::string(url.substr(0, slash)) + "\n" + std::string(url.substr(slash));
    if (!chosen.empty()) key.text += "\n" + std::string(chosen);
    key.hash = place_of(key.text).hash;
    return key;
}

inline BodyRef body_of(std::string_view text, std::string_view type = "text/plain",
                       DictionaryRef dictionary = nullptr) {
    BodyPacker packer(config::Cache::Compression::lz4, type, "", std::move(dictionary));
    packer.append(text);
    return packer.finish();
}

inline std::string text_of(const StoredBody& body) {
    std::string text;
    std::vector<char> scratch(limits::cache_block);
    while (text.size() < body.size())
        text += body.read(text.size(), scratch);
    return text;
}

/// A store on a clock that stands still unless moved, and short ways to use it.
struct World {
    ManualClock clock;
    CacheStore store{clock};
    HeaderList none;

    explicit World(std::uint64_t memory = limits::cache_memory,
                   std::uint64_t max_entries = limits::unlimited) {
        config::Cache cache;
        cache.memory = memory;
        cache.max_entries = max_entries;
        store.configure(cache);
    }

    struct More {
        std::uint32_t lifetime = 60;
        std::vector<std::string_view> tags{};
        std::string_view vary{};
        std::uint64_t position = UINT64_MAX;  // else now's
        bool marker = false;
        bool by_hand = false;
        const CacheEntry* instead_of = nullptr;
    };
    CacheStore::Inserted put(const CacheKey& key, std::string_view body, const More& more) {
        EntryDraft draft;
        draft.key = key.text;
        draft.fields = &none;
        draft.vary = more.vary;
        draft.freshness.received = clock.now();
        draft.freshness.lifetime = more.lifetime;
        draft.tags = more.tags;
        draft.by_hand = more.by_hand;
        draft.instead_of = more.instead_of;
        draft.body = more.marker ? nullptr : body_of(body);
        draft.purge_position = more.position == UINT64_MAX ? store.purge_position() : more.position;
        return store.insert(draft);
    }
    CacheStore::Inserted put(const CacheKey& key, std::string_view body) {
        return put(key, body, More{});
    }
    EntryRef find(const CacheKey& key) { return store.find(key, none).entry; }
    EntryRef find(const CacheKey& key, const HeaderList& request) {
        return store.find(key, request).entry;
    }
    bool has(const CacheKey& key) { return store.peek(key, none).entry != nullptr; }
    std::uint64_t purge(Purge::By by, std::string what = {}, bool soft = false) {
        Purge purge;
        purge.by = by;
        purge.what = std::move(what);
        purge.soft = soft;
        return store.purge(purge).value();
    }
    void sweep_all() {
        while (!store.sweep(1000)) {
        }
    }
};

}  // namespace scrollgate::test
