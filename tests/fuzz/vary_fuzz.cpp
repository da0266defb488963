// Fuzz target: variants. The first line is Vary, then the fields of one request, an empty line, and
// the fields of another one. Matching must be an equality of requests, and normalising them must
// change nothing about it.
#include <string>

#include "cache/rules/vary.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace scrollgate;
using scrollgate::fuzz::require;

namespace {

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

HeaderList take_request(std::string_view& rest) {
    HeaderList request;
    while (!rest.empty() && request.size() < limits::headers_max) {
        const std::string_view line = take_line(rest);
        if (line.empty()) break;
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        request.add(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
    return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = scrollgate::fuzz::as_text(data, size);
    HeaderList response;
    response.add(Field::vary, trim(take_line(rest)));
    HeaderList one = take_request(rest);
    const HeaderList two = take_request(rest);

    std::string lines_one;
    std::string lines_two;
    const CacheReason reason = append_vary(lines_one, response, one);
    const CacheReason other = append_vary(lines_two, response, two);
    require(reason == CacheReason::none || lines_one.empty(), "nothing is left of a refusal");
    const bool all = reason == CacheReason::vary_all;
    const bool star = response.value(Field::vary) == "*";
    require(all || !star, "\"*\" is refused");
    if (reason != CacheReason::none || other != CacheReason::none) return 0;

    require(lines_one.size() <= limits::cache_head, "lines are bounded");
    require(vary_matches(lines_one, one), "a request matches itself");
    const bool match = vary_matches(lines_one, two);
    require(match == vary_matches(lines_two, one), "matching is symmetric");
    require(match == (lines_one == lines_two), "matching is equality of lines");

    Arena arena;
    normalise_request(one, arena);
    require(vary_matches(lines_one, one), "normalising changes no variant");
    std::string again;
    require(append_vary(again, response, one) == CacheReason::none, "nor what may be stored");
    require(again == lines_one, "nor its lines");
    const std::string encoding(one.value(Field::accept_encoding));
    const std::string language(one.value(Field::accept_language));
    normalise_request(one, arena);
    require(encoding == one.value(Field::accept_encoding), "twice is the same as once");
    require(language == one.value(Field::accept_language), "twice is the same as once");
    return 0;
}
