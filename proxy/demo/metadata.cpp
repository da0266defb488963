#include "proxy/demo/metadata.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "core/limits.hpp"
#include "core/rng.hpp"

namespace scrollgate::demo {
namespace {

constexpr std::size_t smallest = 768;  // the target; a document may end up to an entry shorter
constexpr std::size_t largest = 16 * limits::KiB;

using Row = std::array<std::string_view, 6>;
struct Trait {
    std::string_view type;
    Row values;
};

constexpr std::array<Trait, 6> traits{{
    {"Background", {"Dusk", "Deep Sea", "Aurora", "Parchment", "Obsidian", "Rose Quartz"}},
    {"Seal", {"Wax", "Iron", "Jade", "Bone", "Ivory", "Amber"}},
    {"Script", {"Uncial", "Runic", "Cuneiform", "Sanskrit", "Braille", "Linear B"}},
    {"Keeper", {"Owl", "Fox", "Heron", "Moth", "Salamander", "Whale"}},
    {"Binding", {"Linen", "Leather", "Silk", "Copper", "Bark", "Glass"}},
    {"Mood", {"Calm", "Curious", "Stern", "Merry", "Wistful", "Awake"}},
}};
constexpr Row events{"Minted", "Listed", "Sold", "Transferred", "Bid", "Delisted"};

// FNV-1a; the names only need to be told apart.
std::uint64_t hash(std::string_view collection, std::string_view id) noexcept {
    std::uint64_t h = 0xcbf29ce484222325U;
    for (const std::string_view part : {collection, std::string_view("/"), id}) {
        for (const char c : part) {
            h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
        }
    }
    return h;
}

std::string_view pick(const Row& row, Rng& rng) noexcept {
    return row[rng.below(row.size())];
}

// Small documents are the most common: each doubling of the size is half as likely.
std::size_t target_size(Rng& rng) noexcept {
    std::size_t low = smallest;
    while (low * 2 < largest && rng.below(2) == 0) {
        low *= 2;
    }
    return std::min(largest, low + rng.below(low));
}

void append_history(std::string& out, Rng& rng, std::size_t target) {
    constexpr std::size_t closing = 8;
    std::string entry;
    bool first = true;
    for (std::uint64_t block = 17'000'000 + rng.below(100'000);; block += 1 + rng.below(5'000)) {
        entry.clear();
        fmt::format_to(std::back_inserter(entry),
                       "{}\n    {{\"event\": \"{}\", \"from\": \"0x{:016x}{:016x}\", "
                       "\"to\": \"0x{:016x}{:016x}\", \"block\": {}, \"price\": \"{}.{:02}\"}}",
                       first ? "" : ",", pick(events, rng), rng.next(), rng.next(), rng.next(),
                       rng.next(), block, rng.below(40), rng.below(100));
        if (out.size() + entry.size() + closing > target) return;
        out += entry;
        first = false;
    }
}

}  // namespace

bool is_plain_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
}

std::string metadata_json(std::string_view collection, std::string_view id) {
    FastRng rng(hash(collection, id));
    const std::size_t target = target_size(rng);
    std::string out;
    out.reserve(target);
    fmt::format_to(std::back_inserter(out),
                   "{{\n  \"name\": \"{0} #{1}\",\n"
                   "  \"description\": \"Scroll {1} of the collection {0}.\",\n"
                   "  \"image\": \"ipfs://bafy{2:016x}{3:016x}/{1}.png\",\n"
                   "  \"external_url\": \"https://{0}.example/token/{1}\",\n"
                   "  \"attributes\": [",
                   collection, id, rng.next(), rng.next());
    bool first = true;
    for (const Trait& trait : traits) {
        fmt::format_to(std::back_inserter(out),
                       "{}\n    {{\"trait_type\": \"{}\", \"value\": \"{}\"}}", first ? "" : ",",
                       trait.type, pick(trait.values, rng));
        first = false;
    }
    out += "\n  ],\n  \"history\": [";
    append_history(out, rng, target);
    out += "\n  ]\n}\n";
    return out;
}

}  // namespace scrollgate::demo
