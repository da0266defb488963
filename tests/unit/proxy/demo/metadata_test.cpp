// The demo's metadata: the same from every cloud, well-formed, of the promised sizes.
#include "proxy/demo/metadata.hpp"

#include <algorithm>
#include <string>

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace scrollgate::demo;

TEST_CASE("a token's document is the same each time and differs from its neighbour's") {
    CHECK(metadata_json("scrolls", "1") == metadata_json("scrolls", "1"));
    CHECK(metadata_json("scrolls", "1") != metadata_json("scrolls", "2"));
    CHECK(metadata_json("a", "bc").find("\"a #bc\"") != std::string::npos);
    CHECK(metadata_json("ab", "c").substr(200) != metadata_json("a", "bc").substr(200));
}

TEST_CASE("metadata is JSON with the fields a marketplace reads, 512 bytes to 16 KiB long") {
    std::size_t smallest = 1 << 20;
    std::size_t largest = 0;
    for (int id = 0; id < 1000; ++id) {
        const std::string text = metadata_json("scrolls", std::to_string(id));
        smallest = std::min(smallest, text.size());
        largest = std::max(largest, text.size());
        const boost::json::value parsed = boost::json::parse(text);
        const boost::json::object& object = parsed.as_object();
        for (const char* name : {"name", "description", "image"}) {
            REQUIRE(object.at(name).is_string());
        }
        REQUIRE(object.at("attributes").as_array().size() == 6);
    }
    CHECK(smallest >= 512);
    CHECK(smallest < 1024);
    CHECK(largest > 8 * 1024);
    CHECK(largest <= 16 * 1024);
}

TEST_CASE("the longest names still make a document within the bound") {
    const std::string name(64, 'x');
    REQUIRE(is_plain_name(name));
    const std::string text = metadata_json(name, name);
    CHECK(boost::json::parse(text).is_object());
    CHECK(text.size() <= 16 * 1024);
}

TEST_CASE("only plain names are names") {
    CHECK(is_plain_name("Az-09_"));
    CHECK_FALSE(is_plain_name(""));
    CHECK_FALSE(is_plain_name("a\"b"));
    CHECK_FALSE(is_plain_name("a/b"));
    CHECK_FALSE(is_plain_name("a.b"));
    CHECK_FALSE(is_plain_name(std::string(65, 'a')));
}
