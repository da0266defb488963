// Variants (RFC 9110 section 12.5.5, RFC 9111 section 4.1).
#include "cache/rules/vary.hpp"

#include <doctest/doctest.h>

#include "cache/rules/selecting.hpp"
#include "tests/unit/cache/allocations.hpp"
#include "tests/unit/cache/rules/messages.hpp"

using namespace scrollgate;
using namespace scrollgate::test;

namespace {

/// Lines of a response with this Vary to this request.
std::string lines_of(std::string_view vary, const HeaderList& request) {
    std::string lines;
    CHECK(append_vary(lines, fields({{"Vary", vary}}), request) == CacheReason::none);
    return lines;
}

bool same_variant(std::string_view vary, Pairs a, Pairs b) {
    return vary_matches(lines_of(vary, fields(a)), fields(b));
}

CacheReason reason_of(Pairs response) {
    std::string lines = "kept\n";
    const CacheReason reason = append_vary(lines, fields(response), fields({{"Foo", "1"}}));
    if (reason != CacheReason::none) CHECK(lines == "kept\n");
    return reason;
}

std::string_view codings(std::string_view accepted) {
    return accepted_codings(fields({{"Accept-Encoding", accepted}}));
}

}  // namespace

TEST_CASE("RFC 9111 4.1: a variant is for requests with equal fields") {
    CHECK(same_variant("Foo", {{"Foo", "1"}}, {{"foo", "1"}}));
    CHECK(same_variant("Foo", {{"Foo", "1"}, {"X", "2"}}, {{"Foo", "1"}, {"X", "3"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "1"}}, {{"Foo", "2"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "1"}}, {{"Foo", "11"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "11"}}, {{"Foo", "1"}}));
    CHECK(same_variant("Foo, Bar", {{"Foo", "1"}, {"Bar", "a"}}, {{"Bar", "a"}, {"Foo", "1"}}));
    CHECK_FALSE(same_variant("Foo, Bar", {{"Foo", "1"}, {"Bar", "a"}}, {{"Foo", "1"}}));
}

TEST_CASE("RFC 9111 4.1: absent matches absent alone, and is not the same as empty") {
    CHECK(same_variant("Foo", {}, {}));
    CHECK_FALSE(same_variant("Foo", {}, {{"Foo", "1"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "1"}}, {}));
    CHECK_FALSE(same_variant("Foo", {}, {{"Foo", ""}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", ""}}, {}));
    CHECK(same_variant("Foo", {{"Foo", ""}}, {{"Foo", ""}}));
}

TEST_CASE("RFC 9110 5.3: several lines are one list") {
    CHECK(same_variant("Foo", {{"Foo", "1, 2"}}, {{"Foo", "1"}, {"Foo", "2"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "1, 2"}}, {{"Foo", "2"}, {"Foo", "1"}}));
    CHECK(same_variant("Cookie", {{"Cookie", "a=1; b=2"}}, {{"Cookie", "a=1"}, {"Cookie", "b=2"}}));
}

TEST_CASE("RFC 9111 4.1: what has no specification here counts as it is spelled") {
    CHECK_FALSE(same_variant("Foo", {{"Foo", "a"}}, {{"Foo", "A"}}));
    CHECK_FALSE(same_variant("Foo", {{"Foo", "1,2"}}, {{"Foo", "1, 2"}}));
}

TEST_CASE("RFC 9110 12.5.5: \"*\", also among names, and what is no name, is for nobody else") {
    for (const char* vary : {"*", "*, *", ", *", "*, Foo", "Foo, *", "Foo Bar", "Foo;q=1",
                             "\"Foo\"", "Foo, B\xc3\xa4r"}) {
        CAPTURE(vary);
        CHECK(reason_of({{"Vary", vary}}) == CacheReason::vary_all);
    }
    CHECK(reason_of({{"Vary", ""}, {"Vary", "*"}}) == CacheReason::vary_all);
    CHECK(reason_of({{"Vary", "Foo"}, {"Vary", "*"}}) == CacheReason::vary_all);
}

TEST_CASE("RFC 9111 4.1: without Vary, or with an empty one, there is one variant") {
    CHECK(lines_of(" , ,", fields({{"Foo", "1"}})).empty());
    CHECK(reason_of({{"X", "1"}}) == CacheReason::none);
    CHECK(vary_matches("", fields({{"Foo", "1"}})));
}

TEST_CASE("a name counts once, and there may be no more than eight") {
    CHECK(lines_of("Foo, foo, FOO", fields({{"Foo", "1"}})) == "foo: 1\n");
    CHECK(reason_of({{"Vary", "a, b, c, d, e, f, g, h"}}) == CacheReason::none);
    CHECK(reason_of({{"Vary", "a, b, c, d, e, f, g, h, i"}}) == CacheReason::vary_too_much);
    CHECK(reason_of({{"Vary", "a, b, c, d, e, f, g, h, A"}}) == CacheReason::none);
    std::string flood;
    for (int i = 0; i < 20'000; ++i)
        flood += "n" + std::to_string(i) + ",";
    CHECK(reason_of({{"Vary", flood}}) == CacheReason::vary_too_much);
    std::string lines;
    const std::string large(limits::cache_head, 'x');
    CHECK(append_vary(lines, fields({{"Vary", "Foo"}}), fields({{"Foo", large}})) ==
          CacheReason::vary_too_much);
}

TEST_CASE("RFC 9110 12.5.3: Accept-Encoding is what it accepts of br, gzip and zstd") {
    CHECK(codings("gzip, deflate, br, zstd") == "br, gzip, zstd");
    CHECK(codings("zstd;q=0.1,BR;q=1,\tx-GZip") == "br, gzip, zstd");
    CHECK(codings("gzip") == "gzip");
    CHECK(codings("gzip;q=0") == "identity");
    CHECK(codings("gzip; q=0.000, br") == "br");
    CHECK(codings("gzip;Q=0.001") == "gzip");
    CHECK(codings("gzip, gzip;q=0") == "identity");
    CHECK(codings("deflate, *;q=0.1") == "identity");
    CHECK(codings("") == "identity");
    CHECK(accepted_codings({}).empty());
    CHECK(same_variant("Accept-Encoding", {{"Accept-Encoding", "gzip, deflate, br"}},
                       {{"Accept-Encoding", "br;q=1.0, gzip;q=0.8, *;q=0.1"}}));
    CHECK_FALSE(same_variant("Accept-Encoding", {{"Accept-Encoding", "gzip"}}, {}));
    CHECK_FALSE(same_variant("Accept-Encoding", {{"Accept-Encoding", "gzip"}},
                             {{"Accept-Encoding", "br"}}));
}

TEST_CASE("RFC 9110 12.5.4: Accept-Language counts without case and white space, not order") {
    CHECK(same_variant("Accept-Language", {{"Accept-Language", "en, de"}},
                       {{"Accept-Language", "eN ,   De"}}));
    CHECK(same_variant("Accept-Language", {{"Accept-Language", "en;q=0.5, de"}},
                       {{"Accept-Language", "en; q=0.5"}, {"Accept-Language", ",de"}}));
    CHECK_FALSE(same_variant("Accept-Language", {{"Accept-Language", "en, de"}},
                             {{"Accept-Language", "de, en"}}));
    CHECK_FALSE(
        same_variant("Accept-Language", {{"Accept-Language", "e"}}, {{"Accept-Language", "en"}}));
}

TEST_CASE("what is normalised is what is forwarded") {
    Arena arena;
    HeaderList request = fields({{"A", "  1"},
                                 {"Accept-Encoding", "gzip;q=0.5"},
                                 {"Accept-Encoding", "br"},
                                 {"Accept-Language", "EN , de"}});
    normalise_request(request, arena);
    CHECK(request.count(Field::accept_encoding) == 1);
    CHECK(request.value(Field::accept_encoding) == "br, gzip");
    CHECK(request.value(Field::accept_language) == "en,de");
    CHECK(request.find("A")->value == "  1");
    HeaderList none = fields({{"A", "1"}});
    normalise_request(none, arena);
    CHECK(none.size() == 1);
}

TEST_CASE("Vary on a field that the proxy or the route makes is compared after preparing") {
    config::HeaderRules rules;
    rules.set = {{"X-Tenant", "a"}};
    rules.add = {{"X-More", "a"}};
    rules.remove = {"X-Less"};
    for (const char* name : {"x-forwarded-for", "X-Forwarded-Anything", "Forwarded", "X-Real-IP",
                             "Via", "X-Request-Id", "x-tenant", "X-MORE", "x-less"}) {
        CAPTURE(name);
        CHECK(vary_needs_prepared(lines_of(name, {}), rules));
    }
    CHECK_FALSE(vary_needs_prepared(lines_of("Accept, Foo", {}), rules));
}

TEST_CASE("matching a variant allocates nothing") {
    const HeaderList request = fields({{"Accept-Encoding", "gzip, br;q=0.5"},
                                       {"Accept-Language", "EN, de;q=0.5"},
                                       {"Foo", "1"},
                                       {"Foo", "a value that does not fit into a short string"}});
    const std::string lines = lines_of("Accept-Encoding, Accept-Language, Foo, Bar", request);
    const std::size_t before = allocations();
    const bool matches = vary_matches(lines, request);
    const std::size_t made = allocations() - before;
    CHECK(matches);
    CHECK(made == 0);
}

TEST_CASE("a comparison ends with the first difference, and one request is read once for all") {
    HeaderList request = fields({{"Accept-Encoding", "gzip, br"}, {"Accept-Language", "DE, en"}});
    VaryMatcher matcher(request);
    CHECK(matcher.matches("accept-encoding: br, gzip\naccept-language: de,en\n"));
    CHECK_FALSE(matcher.matches("accept-encoding: br\n"));
    CHECK_FALSE(matcher.matches("accept-encoding\n"));
    CHECK_FALSE(matcher.matches("accept-language: de,e\n"));
    CHECK_FALSE(matcher.matches("accept-language: de,en,fr\n"));
    // Even of a long value no more is read than differs.
    int given = 0;
    request.add("X-Long", "abcdefgh");
    CHECK(for_selecting_value(request, "x-long", Field::unknown, [&](char c) {
        ++given;
        return c != 'b';
    }));
    CHECK(given == 2);
    given = 0;
    CHECK(for_selecting_value(request, "accept-language", Field::accept_language,
                              [&](char) { return ++given < 2; }));
    CHECK(given == 2);
}
