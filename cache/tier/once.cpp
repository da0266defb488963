#include "cache/tier/once.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cache/tier/names.hpp"
#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

// The log may have been lost, and the mark not. Older releases have marks that tell no place: then
// it may come twice, which costs no more than a purge made twice.
const redis::Script& once_script() {
    static const redis::Script script(R"(
local there = redis.call('GET', KEYS[2])
if there and #redis.call('XRANGE', KEYS[1], there, there) == 1 then return {there} end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
redis.call('SET', KEYS[2], id, 'PX', ARGV[1])
return id)");
    return script;
}

}  // namespace

redis::Command once_command(std::string_view prefix, const LogRecord& record) {
    const std::string purges = name_of_purges(prefix);
    const std::string mark = name_of_token(prefix, record.token);
    const std::string kept = fmt::format(
        "{}", std::chrono::duration_cast<std::chrono::milliseconds>(2 * limits::tier_said).count());
    const std::string most = fmt::format("{}", limits::tier_log);
    const std::vector<std::string> words = words_of(record);
    std::vector<std::string_view> arguments{kept, most};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const std::string_view keys[]{purges, mark};
    // Whole: purges are few, and nobody has to ask again.
    return redis::script_command(once_script(), keys, arguments, true);
}

Stands stands_in(const Result<redis::Reply>& answer) noexcept {
    if (!answer) return {};
    const bool before = answer->is_array() && answer->elements.size() == 1;
    const redis::Reply& id = before ? answer->elements.front() : *answer;
    return {id.is_text() ? position_of(id.text).value_or(0) : 0, before};
}

}  // namespace scrollgate::tier
