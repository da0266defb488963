// How much smaller the cache keeps metadata, everything counted that it charges to its memory.
#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "bench/micro/cached_objects.hpp"
#include "bench/micro/tables/tables.hpp"
#include "core/rng.hpp"

namespace scrollgate::bench {
namespace {

namespace fs = std::filesystem;
using Compression = config::Cache::Compression;

/// Nominal size -> documents.
using Documents = std::map<std::size_t, std::vector<std::string>>;

/// Of all files of a folder, which are named SIZE-COLLECTION and have a document per line.
Documents read_documents(const fs::path& folder) {
    Documents found;
    for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
        std::vector<std::string>& documents = found[std::stoul(file.path().filename().string())];
        std::ifstream lines(file.path());
        for (std::string line; std::getline(lines, line);)
            documents.push_back(line);
    }
    return found;
}

/// What a trainer has learned of these, in an order as that of requests.
DictionaryRef learned_from(DictionaryTrainer& trainer, const Documents& documents) {
    std::vector<std::string_view> all;
    for (const auto& [size, some] : documents)
        all.insert(all.end(), some.begin(), some.end());
    FastRng rng(1);
    for (std::size_t i = all.size(); i > 1; --i)
        std::swap(all[i - 1], all[rng.below(i)]);
    // It looks at a few of many: as many as a cache sees within a minute.
    for (int turn = 0; turn < 100 && trainer.current() == nullptr; ++turn)
        for (const std::string_view document : all) {
            trainer.learn(document);
            trainer.study();
        }
    return trainer.current();
}

/// Bytes per way of storing: as it comes, LZ4, LZ4 with the dictionary.
struct Sizes {
    std::uint64_t content = 0;
    std::size_t objects = 0;
    std::array<std::uint64_t, 3> bodies{};   ///< with their own structures
    std::array<std::uint64_t, 3> entries{};  ///< all that is charged: key and fields, too

    Sizes& operator+=(const Sizes& other) {
        content += other.content;
        objects += other.objects;
        for (std::size_t way = 0; way < bodies.size(); ++way) {
            bodies[way] += other.bodies[way];
            entries[way] += other.entries[way];
        }
        return *this;
    }
};

Sizes measure(CacheStore& store, const std::vector<std::string>& documents,
              const DictionaryRef& dictionary) {
    Sizes sizes;
    ObjectRequest request;
    ObjectDraft draft(system_clock());
    for (const std::string& document : documents) {
        sizes.content += document.size();
        ++sizes.objects;
        const CacheKey& key = request.ask_for(sizes.objects);
        for (std::size_t way = 0; way < sizes.bodies.size(); ++way) {
            const BodyRef body = packed(document, way == 0 ? Compression::off : Compression::lz4,
                                        way == 2 ? dictionary : nullptr);
            sizes.bodies[way] += body->charged();
            const CacheStore::Inserted stored = store.insert(draft.of(key, body));
            if (stored.entry == nullptr) continue;
            sizes.entries[way] += stored.entry->charged();
        }
        draft.draft().body = nullptr;
    }
    return sizes;
}

double saved(std::uint64_t stored, std::uint64_t of) {
    return 100.0 * (1.0 - static_cast<double>(stored) / static_cast<double>(of));
}

void print_row(std::string_view name, const Sizes& sizes) {
    const auto ratio = [&](std::size_t way) {
        return static_cast<double>(sizes.content) / static_cast<double>(sizes.bodies[way]);
    };
    fmt::print("  {:>8} {:>8} {:>11} {:>7.2f} {:>7.2f} {:>10.1f} {:>10.1f} {:>14.0f} {:>9.1f}\n",
               name, sizes.objects, sizes.content, ratio(1), ratio(2),
               saved(sizes.bodies[1], sizes.content), saved(sizes.bodies[2], sizes.content),
               static_cast<double>(sizes.entries[2]) / static_cast<double>(sizes.objects),
               saved(sizes.entries[2], sizes.entries[0]));
}

}  // namespace

int print_stored_size(const fs::path& corpus) {
    const Documents learn = read_documents(corpus / "learn");
    const Documents unseen = read_documents(corpus / "unseen");
    CacheStore store(system_clock());
    store.configure(limits_of(limits::unlimited, std::uint64_t{4} << 30));
    DictionaryTrainer trainer(store);
    const DictionaryRef dictionary = learned_from(trainer, learn);
    if (dictionary == nullptr) {
        fmt::print(stderr, "cache-tables: no dictionary was learned\n");
        return 1;
    }
    fmt::print(
        "stored size of metadata, by size of the object; the dictionary ({} bytes charged) "
        "has learned from other collections\n  {:>8} {:>8} {:>11} {:>7} {:>7} {:>10} {:>10} "
        "{:>14} {:>9}\n",
        Dictionary::charged(), "size", "objects", "content", "LZ4 x", "dict x", "LZ4 -%", "dict -%",
        "entry bytes", "entry -%");
    Sizes all;
    double sum = 0;
    for (const auto& [size, documents] : unseen) {
        const Sizes sizes = measure(store, documents, dictionary);
        print_row(std::to_string(size), sizes);
        all += sizes;
        sum += saved(sizes.bodies[2], sizes.content);
    }
    all.bodies[2] += Dictionary::charged();
    all.entries[2] += Dictionary::charged();
    print_row("overall", all);
    fmt::print(
        "  x: content bytes / bytes that the body takes in memory, its own structure "
        "included; entry: all that is charged, key and\n  fields, too, and -% against the "
        "same entries without compression; overall with the dictionary itself\n"
        "  {:.1f} % smaller if all sizes count alike\n",
        sum / static_cast<double>(unseen.size()));
    return saved(all.bodies[2], all.content) >= 40 ? 0 : 1;
}

}  // namespace scrollgate::bench
