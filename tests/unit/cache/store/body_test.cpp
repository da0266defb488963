// Stored bodies: what is compressed, what comes out again, from where.
#include "cache/store/body.hpp"

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "tests/unit/cache/store/drafts.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

std::string repeated(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i)
        text += "line " + std::to_string(i % 97) + " of the same\n";
    text.resize(size);
    return text;
}

std::string noise(std::size_t size) {
    FastRng rng(1);
    std::string text(size, 0);
    for (char& c : text)
        c = static_cast<char>(rng.next());
    return text;
}

BodyRef packed(const std::string& text, std::string_view type, std::string_view coding,
               config::Cache::Compression how = config::Cache::Compression::lz4) {
    BodyPacker packer(how, type, coding, nullptr);
    packer.append(text);
    return packer.finish();
}

}  // namespace

TEST_CASE("a body comes out as it went in, whatever its size and the pieces it came in") {
    FastRng rng(7);
    for (const std::size_t size :
         {0UL, 1UL, 63UL, 64UL, 5000UL, 65535UL, 65536UL, 65537UL, 300000UL})
        for (const bool shrinks : {true, false}) {
            const std::string text = shrinks ? repeated(size) : noise(size);
            BodyPacker packer(config::Cache::Compression::lz4, "text/plain", "", nullptr);
            for (std::size_t at = 0; at < size;) {
                const std::size_t piece = std::min(size - at, rng.below(30000) + 1);
                packer.append(std::string_view(text).substr(at, piece));
                at += piece;
            }
            const BodyRef body = packer.finish();
            CAPTURE(size);
            CHECK(body->size() == size);
            CHECK(text_of(*body) == text);
            CHECK(body->compressed() == (shrinks && size >= limits::cache_compressed));
            CHECK(body->charged() >= (shrinks ? sizeof(StoredBody) : size));
            if (shrinks && size > 1000) CHECK(body->charged() < size * 7 / 8);
        }
}

TEST_CASE("reading from any offset gives the content from there to the end of its block") {
    const std::string text = repeated(200'000);
    const BodyRef body = body_of(text);
    std::vector<char> scratch(limits::cache_block);
    for (const std::size_t from : {0UL, 1UL, 65535UL, 65536UL, 70000UL, 199'999UL}) {
        const std::size_t end = std::min((from / 65536 + 1) * 65536, text.size());
        CHECK(body->read(from, scratch) == std::string_view(text).substr(from, end - from));
        CHECK_FALSE(body->raw_at(from));
    }
}

TEST_CASE("what is compressed already stays as it is") {
    const std::string text = repeated(10'000);
    CHECK(packed(text, "text/html; charset=utf-8", "")->compressed());
    CHECK(packed(text, "application/json", "identity")->compressed());
    CHECK(packed(text, "image/svg+xml", "")->compressed());
    CHECK_FALSE(packed(text, "text/html", "gzip")->compressed());
    CHECK_FALSE(packed(text, "Image/PNG", "")->compressed());
    CHECK_FALSE(packed(text, "application/zip ; x=y", "")->compressed());
    CHECK_FALSE(packed(text, "text/html", "", config::Cache::Compression::off)->compressed());
}

TEST_CASE("after two blocks that did not shrink no more are tried") {
    const std::string hard = noise(2 * limits::cache_block);
    const std::string easy = repeated(limits::cache_block);
    CHECK_FALSE(packed(hard + easy, "text/plain", "")->compressed());
    const BodyRef mixed = packed(noise(limits::cache_block) + easy, "text/plain", "");
    CHECK(mixed->raw_at(0));
    CHECK_FALSE(mixed->raw_at(limits::cache_block));
}

TEST_CASE("a raw body is a view into the body itself") {
    const BodyRef body = packed(noise(500), "image/png", "");
    const std::string_view a = body->read(0, {});
    CHECK(a.size() == 500);
    CHECK(a.data() == body->read(0, {}).data());
}
