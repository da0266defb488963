// Fuzz target: parse_http_date. Whatever is read as a date is written again by the C library, in
// the same form, and must be the same text but for the day's name and case.
#include <cctype>
#include <ctime>
#include <string>

#include "cache/rules/http_date.hpp"
#include "core/field.hpp"
#include "tests/fuzz/fuzz.hpp"

using scrollgate::fuzz::require;

namespace {

std::string written(std::int64_t seconds, const char* form) {
    const std::time_t when = seconds;
    std::tm parts{};
    ::gmtime_r(&when, &parts);
    char text[64];
    std::strftime(text, sizeof text, form, &parts);
    std::string out = text;
    // the C library writes years before 1000 shorter
    const std::string year = std::to_string(parts.tm_year + 1900);
    const std::size_t at = out.find('#');
    if (at != std::string::npos) out.replace(at, 1, std::string(4 - year.size(), '0') + year);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    const std::int64_t now = 1'700'000'000 + 1'000'000 * scrollgate::fuzz::take_byte(input);
    const auto seconds = scrollgate::parse_http_date(input, now);
    if (!seconds) return 0;
    const std::size_t day_end = input.find_first_of(", ");
    require(day_end != std::string_view::npos, "a date has a day's name");
    const std::string_view rest = input.substr(day_end);
    if (rest.size() > 9 && rest.find(":60") != std::string_view::npos) return 0;  // leap second
    const bool comma = rest.front() == ',';
    const bool rfc850 = comma && rest.size() > 4 && rest[4] == '-';
    const char* const form = rfc850  ? ", %d-%b-%y %H:%M:%S GMT"
                             : comma ? ", %d %b # %H:%M:%S GMT"
                                     : " %b %e %H:%M:%S #";
    bool same = scrollgate::equal_no_case(rest, written(*seconds, form));
    if (!comma && !same) {  // asctime itself writes " 6", the grammar has "06", too
        same = scrollgate::equal_no_case(rest, written(*seconds, " %b %d %H:%M:%S #"));
    }
    require(same, "a date is what it says");
    const std::int64_t ahead = *seconds - now;
    if (rfc850) require(ahead < 51LL * 31'622'400, "a two-digit year is not far ahead");
    if (rfc850) require(ahead > -51LL * 31'622'400, "a two-digit year is not far behind");
    return 0;
}
