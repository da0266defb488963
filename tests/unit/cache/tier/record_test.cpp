// Records: they come back as they went in, and nothing else is taken for one.
#include "cache/tier/record.hpp"

#include <string>

#include <doctest/doctest.h>

#include "cache/tier/names.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;
using scrollgate::tier::decode;
using scrollgate::tier::encode;
using scrollgate::tier::Record;
using scrollgate::tier::Unreadable;

namespace {

Record sample() {
    Record record;
    record.status = 203;
    record.position = 0x0123456789abcdef;
    record.received_ms = 1'700'000'000'123;
    record.freshness.initial_age = 7;
    record.freshness.lifetime = 60;
    record.freshness.while_revalidate = 30;
    record.freshness.if_error = 300;
    record.freshness.took_ms = 12;
    record.freshness.must_revalidate = record.freshness.has_validator = true;
    record.key = "p\nhttp\na.example\n/x";
    record.vary = "accept: a\naccept-language\n";
    record.fields.add("ETag", "\"v1\"");
    record.fields.add("X-Empty", "");
    record.tags = {"news", "all"};
    return record;
}

void take_body(Record& record, const StoredBody& body) {
    for (std::size_t i = 0; i < body.part_count(); ++i)
        record.parts.push_back(body.part(i));
    if (const Dictionary* dictionary = body.dictionary()) record.dictionary = dictionary->name();
}

std::string text(std::size_t size, bool shrinks = true) {
    std::string made;
    while (made.size() < size)
        made +=
            shrinks ? "a line of the same, " : std::to_string(made.size() * 2654435761U % 1000003);
    made.resize(size);
    return made;
}

}  // namespace

TEST_CASE("a record comes out as it went in") {
    Record record = sample();
    const BodyRef body = body_of(text(200'000));
    take_body(record, *body);
    const std::string bytes = encode(record);
    Record got;
    REQUIRE(decode(bytes, got) == Unreadable::no);
    CHECK(got.kind == Record::Kind::response);
    CHECK(got.status == 203);
    CHECK(got.position == record.position);
    CHECK(got.received_ms == record.received_ms);
    CHECK(got.freshness.initial_age == 7);
    CHECK(got.freshness.lifetime == 60);
    CHECK(got.freshness.while_revalidate == 30);
    CHECK(got.freshness.if_error == 300);
    CHECK(got.freshness.took_ms == 12);
    CHECK(bool{got.freshness.must_revalidate});
    CHECK(bool{got.freshness.has_validator});
    CHECK_FALSE(bool{got.freshness.no_cache});
    CHECK_FALSE(bool{got.freshness.heuristic});
    CHECK_FALSE(bool{got.freshness.immutable});
    CHECK(got.key == record.key);
    CHECK(got.vary == record.vary);
    REQUIRE(got.fields.size() == 2);
    CHECK(got.fields[0].name == "ETag");
    CHECK(got.fields[0].id == Field::etag);
    CHECK(got.fields[1].value.empty());
    CHECK(got.tags == record.tags);
    CHECK_FALSE(got.needs_dictionary());
    const BodyRef again = StoredBody::of_parts(got.parts, nullptr);
    REQUIRE(again);
    CHECK(text_of(*again) == text(200'000));
    CHECK(again->charged() == body->charged());
    CHECK(encode(got) == bytes);
}

TEST_CASE("bodies of every size and form come back") {
    for (const std::size_t size : {0UL, 1UL, 100UL, 5000UL, 65535UL, 65536UL, 65537UL, 131072UL})
        for (const bool shrinks : {true, false}) {
            CAPTURE(size);
            Record record = sample();
            const BodyRef body = body_of(text(size, shrinks), shrinks ? "text/plain" : "image/png");
            take_body(record, *body);
            const std::string bytes = encode(record);
            Record got;
            REQUIRE(decode(bytes, got) == Unreadable::no);
            const BodyRef again = StoredBody::of_parts(got.parts, nullptr);
            REQUIRE(again);
            CHECK(again->size() == size);
            CHECK(text_of(*again) == text(size, shrinks));
            CHECK(again->compressed() == body->compressed());
        }
}

TEST_CASE("a body that needs a dictionary comes back with the one of that name, and no other") {
    const DictionaryRef dictionary(new Dictionary(1, text(4000), nullptr));
    const DictionaryRef other(new Dictionary(2, text(4000, false), nullptr));
    const BodyRef body = body_of(text(300), "text/plain", dictionary);
    Record record = sample();
    take_body(record, *body);
    CHECK(record.dictionary == hash128(dictionary->text()));
    const std::string bytes = encode(record);
    Record got;
    REQUIRE(decode(bytes, got) == Unreadable::no);
    CHECK(got.dictionary == dictionary->name());
    CHECK_FALSE(StoredBody::of_parts(got.parts, nullptr));
    const BodyRef again = StoredBody::of_parts(got.parts, dictionary);
    REQUIRE(again);
    CHECK(text_of(*again) == text(300));
    CHECK(again->dictionary() == dictionary.get());
    CHECK(dictionary->name() != other->name());
}

TEST_CASE("what is cut off anywhere, or longer, is no record") {
    Record record = sample();
    const BodyRef body = body_of(text(900));
    take_body(record, *body);
    const std::string bytes = encode(record);
    Record got;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Unreadable why = decode(std::string_view(bytes).substr(0, size), got);
        CHECK(why == (size < 3 ? Unreadable::foreign : Unreadable::cut));
    }
    CHECK(decode(bytes + "x", got) == Unreadable::cut);
}

TEST_CASE("a single bit that changes is seen") {
    Record record = sample();
    const BodyRef body = body_of(text(500));
    take_body(record, *body);
    const std::string bytes = encode(record);
    Record got;
    for (std::size_t i = 0; i < bytes.size(); ++i)
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
            CHECK(decode(changed, got) != Unreadable::no);
        }
}

TEST_CASE("bytes of others and of other versions are told apart") {
    Record got;
    CHECK(decode("", got) == Unreadable::foreign);
    CHECK(decode(text(500), got) == Unreadable::foreign);
    std::string newer = encode(sample());
    newer[3] = 2;
    CHECK(decode(newer, got) == Unreadable::version);
    newer[3] = 0;
    CHECK(decode(newer, got) == Unreadable::version);
}

TEST_CASE("what no stored response has is refused although the checksum is right") {
    const auto refused = [](const Record& record) {
        Record got;
        return decode(encode(record), got) == Unreadable::broken;
    };
    for (const char* name : {"Content-Length", "transfer-encoding", "Connection", "Age", "Via",
                             "X-Request-Id", "bad name", "", "a\r\nb"}) {
        CAPTURE(name);
        Record record = sample();
        record.fields.add(name, "1");
        CHECK(refused(record));
    }
    Record record = sample();
    record.fields.add("X-A", "1\r\nX-B: 2");
    CHECK(refused(record));
    for (const char* vary :
         {"accept", "accept:\n", "accept:a\n", "accept a\n", "\n", "a: \x01\n"}) {
        CAPTURE(vary);
        record = sample();
        record.vary = vary;
        CHECK(refused(record));
    }
    record = sample();
    record.status = 199;
    CHECK(refused(record));
    record = sample();
    record.key = {};
    CHECK(refused(record));
    record = sample();
    record.freshness.lifetime = UINT32_MAX;
    CHECK(refused(record));
    record = sample();
    record.tags = {""};
    CHECK(refused(record));
}

TEST_CASE("markers, variants and dictionaries have what they need, and nothing more") {
    Record got;
    Record marker;
    marker.kind = Record::Kind::marker;
    marker.key = "k";
    CHECK(decode(encode(marker), got) == Unreadable::no);
    CHECK(got.kind == Record::Kind::marker);
    marker.fields.add("ETag", "1");
    CHECK(decode(encode(marker), got) == Unreadable::broken);

    Record variants;
    variants.kind = Record::Kind::variants;
    variants.key = "k";
    CHECK(decode(encode(variants), got) == Unreadable::broken);
    variants.vary = "accept\naccept-encoding\n";
    CHECK(decode(encode(variants), got) == Unreadable::no);
    variants.vary = "accept: x\n";
    CHECK(decode(encode(variants), got) == Unreadable::broken);

    Record dictionary;
    dictionary.kind = Record::Kind::dictionary;
    const std::string content = text(limits::dictionary);
    dictionary.parts.push_back({content, false, static_cast<std::uint32_t>(content.size())});
    const std::string value = encode(dictionary);  // what is decoded points into it
    CHECK(decode(value, got) == Unreadable::no);
    CHECK(got.parts.front().bytes == content);
    dictionary.key = "k";
    CHECK(decode(encode(dictionary), got) == Unreadable::broken);
}

TEST_CASE("parts that are no body are refused") {
    const std::string whole = text(limits::cache_block, false);
    const auto size = static_cast<std::uint32_t>(whole.size());
    using Parts = std::vector<StoredBody::Part>;
    CHECK(StoredBody::of_parts(Parts{{whole, false, size}, {whole, false, size}}, nullptr));
    for (const Parts& parts :
         {Parts{{whole.substr(1), false, size}}, Parts{{"ab", false, 2}, {whole, false, size}},
          Parts{{"", false, 0}}, Parts{{"not LZ4 at all", true, 100}}, Parts{{"ab", true, 2}},
          Parts{{whole, false, size}, {whole, false, size + 1}}})
        CHECK_FALSE(StoredBody::of_parts(parts, nullptr));
}

TEST_CASE("names differ with all that they stand for, and never contain it") {
    using namespace scrollgate::tier;
    const std::string name = name_of_key("sg", "p\nhttp\na.example\n/x");
    CHECK(name.size() == 3 + 34);
    CHECK(name.starts_with("sg:{"));
    CHECK(name != name_of_key("sg", "q\nhttp\na.example\n/x"));
    CHECK(name != name_of_key("other", "p\nhttp\na.example\n/x"));
    CHECK(name_of_variant(name, "accept: a\n") != name_of_variant(name, "accept: b\n"));
    CHECK(name_of_variant(name, "accept: a\n").starts_with(name + ":"));
    CHECK(name_of_lease(name, "") == name + ":lease");
    CHECK(name_of_lease(name, "accept: a\n") == name_of_variant(name, "accept: a\n") + ":lease");
    // The same on every node and in every release.
    CHECK(hex(hash128("")) == hex(hash128(std::string())));
    CHECK(name_of_purges("sg") == "{sg}:purges");
}
