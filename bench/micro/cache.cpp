// Micro benchmark: what the cache does for one request: key, look-up by the number of entries and
// by threads, judging, Vary; and what it does for one response: insertion, with and without
// eviction.
//
// 10,000,000 entries take some 3 GiB: `./dev bench micro find/entries:10000000`; without a regular
// expression they are left out where less than 6 GiB are free.
#include <algorithm>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/sysinfo.h>

#include "bench/micro/cached_objects.hpp"
#include "cache/rules/reuse.hpp"
#include "cache/rules/vary.hpp"
#include "core/rng.hpp"

namespace scrollgate::bench {
namespace {

using Compression = config::Cache::Compression;

constexpr std::uint64_t plenty = std::uint64_t{64} << 30;
constexpr std::string_view small_body = R"({"name":"Scroll #1205","image":"ipfs://scrolls/1205"})";

/// A store with `count` small objects. One at a time is kept, for the benchmarks that follow.
CacheStore& store_of(std::uint64_t count) {
    static std::unique_ptr<CacheStore> store;
    static std::uint64_t stored = 0;
    if (store != nullptr && stored == count) return *store;
    store = std::make_unique<CacheStore>(system_clock());
    stored = count;
    store->configure(limits_of(limits::unlimited, plenty));
    ObjectRequest request;
    ObjectDraft draft(system_clock());
    for (std::uint64_t i = 0; i < count; ++i)
        store->insert(draft.of(request.ask_for(i), packed(small_body, Compression::off, nullptr)));
    return *store;
}

bool fits(std::uint64_t entries) {
    struct sysinfo about {};
    if (entries < 10'000'000 || sysinfo(&about) != 0) return true;
    return std::uint64_t{about.freeram} * about.mem_unit > std::uint64_t{6} << 30;
}

/// Keys that are asked for, drawn evenly, so that nothing but the store's own memory is touched.
std::vector<CacheKey> some_keys(std::uint64_t count) {
    FastRng rng(1);
    ObjectRequest request;
    std::vector<CacheKey> keys(4096);
    for (CacheKey& key : keys)
        key = request.ask_for(rng.below(count));
    return keys;
}

void find(benchmark::State& state) {
    const auto count = static_cast<std::uint64_t>(state.range(0));
    if (!fits(count)) {
        state.SkipWithError("not enough free memory");
        return;
    }
    static CacheStore* shared;
    if (state.thread_index() == 0) shared = &store_of(count);
    const std::vector<CacheKey> keys = some_keys(count);
    const HeaderList fields;
    auto at = static_cast<std::size_t>(state.thread_index()) * 1000;
    for (auto _ : state) {
        const CacheStore::Found found = shared->find(keys[at++ % keys.size()], fields);
        if (found.entry == nullptr) {
            state.SkipWithError("an entry is not there");
            break;
        }
        benchmark::DoNotOptimize(found.entry->wire().data());
    }
}
BENCHMARK(find)->ArgName("entries")->Arg(1000)->Arg(100'000)->Arg(10'000'000);
BENCHMARK(find)->ArgName("entries")->Arg(100'000)->Threads(2)->UseRealTime();

void find_nothing(benchmark::State& state) {
    CacheStore& store = store_of(static_cast<std::uint64_t>(state.range(0)));
    ObjectRequest request;
    request.head().authority = "nobody.example";
    request.ask_for(7);
    for (auto _ : state)
        benchmark::DoNotOptimize(store.find(request.key(), request.fields()).entry.get());
}
BENCHMARK(find_nothing)->ArgName("entries")->Arg(100'000);

/// One hot key, as at the start of a stampede of hits.
void find_one(benchmark::State& state) {
    static CacheStore* shared;
    if (state.thread_index() == 0) shared = &store_of(1000);
    ObjectRequest request;
    request.ask_for(7);
    for (auto _ : state)
        benchmark::DoNotOptimize(shared->find(request.key(), request.fields()).entry.get());
}
BENCHMARK(find_one)->ThreadRange(1, 2)->UseRealTime();

void insert(benchmark::State& state, std::uint64_t room) {
    CacheStore store(system_clock());
    store.configure(limits_of(room, plenty));
    ObjectRequest request;
    ObjectDraft draft(system_clock());
    const std::string content(static_cast<std::size_t>(state.range(0)), 'x');
    std::uint64_t number = 0;
    if (room != limits::unlimited)
        for (; number < room; ++number)
            store.insert(
                draft.of(request.ask_for(number), packed(content, Compression::off, nullptr)));
    for (auto _ : state) {
        BodyRef body = packed(content, Compression::off, nullptr);
        const EntryDraft& made = draft.of(request.ask_for(number++), std::move(body));
        if (store.insert(made).entry == nullptr) state.SkipWithError("was not inserted");
    }
}
BENCHMARK_CAPTURE(insert, room, limits::unlimited)
    ->ArgName("bytes")
    ->Arg(1024)
    ->Iterations(200'000);
BENCHMARK_CAPTURE(insert, evicting, 10'000)->ArgName("bytes")->Arg(1024)->Iterations(200'000);

void replace(benchmark::State& state) {
    CacheStore store(system_clock());
    store.configure(limits_of(limits::unlimited, plenty));
    ObjectRequest request;
    ObjectDraft draft(system_clock());
    request.ask_for(1);
    const BodyRef body = packed(std::string(65'536, 'x'), Compression::off, nullptr);
    for (auto _ : state)
        benchmark::DoNotOptimize(store.insert(draft.of(request.key(), body)).entry.get());
}
BENCHMARK(replace);

void make_a_key(benchmark::State& state) {
    ObjectRequest request;
    request.ask_for(1205);
    for (auto _ : state)
        benchmark::DoNotOptimize(request.make().hash);
}
BENCHMARK(make_a_key);

void judge_fresh(benchmark::State& state) {
    HeaderList fields;
    fields.add("Accept", "*/*");
    fields.add("Accept-Encoding", "gzip, deflate, br, zstd");
    Freshness stored;
    stored.received = system_clock().now();
    stored.lifetime = 3600;
    const TimePoint now = stored.received + std::chrono::seconds(60);
    for (auto _ : state) {
        const CacheControl control = request_control(fields);
        benchmark::DoNotOptimize(judge_reuse(control, stored, false, now).ttl);
    }
}
BENCHMARK(judge_fresh);

void match_vary(benchmark::State& state) {
    HeaderList request;
    request.add("User-Agent", "curl/7.88.1");
    request.add("Accept-Encoding", "br, gzip");
    request.add("Accept-Language", "en-us,en;q=0.5");
    HeaderList response;
    response.add("Vary", "Accept-Encoding, Accept-Language");
    std::string lines;
    if (append_vary(lines, response, request) != CacheReason::none) state.SkipWithError("no lines");
    for (auto _ : state) {
        const bool same = vary_matches(lines, request);
        if (!same) state.SkipWithError("another variant");
        benchmark::DoNotOptimize(same);
    }
}
BENCHMARK(match_vary);

/// A body of JSON-like text on its way in and out.
std::string text_of(std::size_t size) {
    FastRng rng(7);
    std::string text;
    while (text.size() < size)
        text += fmt::format(R"({{"trait_type":"Level","value":{}}},)", rng.below(100'000));
    text.resize(size);
    return text;
}

void compress(benchmark::State& state) {
    const std::string text = text_of(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state)
        benchmark::DoNotOptimize(packed(text, Compression::lz4, nullptr).get());
}
BENCHMARK(compress)->ArgName("bytes")->Arg(1024)->Arg(16'384);

void decompress(benchmark::State& state) {
    const std::string text = text_of(static_cast<std::size_t>(state.range(0)));
    const BodyRef body = packed(text, Compression::lz4, nullptr);
    std::vector<char> scratch(text.size());
    for (auto _ : state)
        benchmark::DoNotOptimize(body->read(0, scratch).data());
}
BENCHMARK(decompress)->ArgName("bytes")->Arg(1024)->Arg(16'384);

}  // namespace
}  // namespace scrollgate::bench
