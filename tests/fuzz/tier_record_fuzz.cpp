// Fuzz target: what the reader of records makes of any bytes. The first byte chooses whether they
// are given as they are, or with a length and a checksum that are right, so that all behind them is
// reached, too. What is accepted is written as the same bytes, and can be stored and read.
#include <cstring>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "cache/entry.hpp"
#include "cache/tier/record.hpp"
#include "core/limits.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace scrollgate;
using namespace scrollgate::tier;
using scrollgate::fuzz::require;

namespace {

constexpr std::size_t head_size = 88, checksum_at = 8, whole_at = 52;

void make_right(std::string& bytes) {
    if (bytes.size() < head_size) return;
    bytes.replace(0, 4, std::string("SGr\x01", 4));
    const auto whole = static_cast<std::uint32_t>(bytes.size());
    std::memcpy(bytes.data() + whole_at, &whole, sizeof whole);
    std::uint64_t front = 0;
    std::memcpy(&front, bytes.data(), sizeof front);
    const std::uint64_t checksum =
        XXH3_64bits_withSeed(bytes.data() + 16, bytes.size() - 16, front);
    std::memcpy(bytes.data() + checksum_at, &checksum, sizeof checksum);
}

void store(const Record& record) {
    const BodyRef body = StoredBody::of_parts(record.parts, nullptr);
    EntryDraft draft;
    draft.key = record.key;
    draft.status = record.status;
    draft.fields = &record.fields;
    draft.vary = record.vary;
    draft.freshness = record.freshness;
    draft.tags = record.tags;
    draft.body = body;
    const EntryRef entry = CacheEntry::make(draft);
    if (!entry) return;
    HeaderList fields;
    entry->fields(fields);
    require(fields.size() == record.fields.size(), "every field is there once");
    for (std::size_t i = 0; i < fields.size(); ++i) {
        require(fields[i].name == record.fields[i].name, "by its name");
        require(fields[i].value == record.fields[i].value, "with its value");
    }
    if (!body) return;
    std::vector<char> scratch(limits::cache_block);
    std::uint64_t at = 0;
    while (at < body->size())
        at += body->read(at, scratch).size();
    require(at == body->size(), "the body can be read to its end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    const unsigned choice = scrollgate::fuzz::take_byte(input);
    std::string bytes(input);
    if (choice % 2 == 1) make_right(bytes);
    Record record;
    if (decode(bytes, record) != Unreadable::no) return 0;
    require(encode(record) == bytes, "there is one way to write a record");
    if (record.kind == Record::Kind::response) store(record);
    return 0;
}
