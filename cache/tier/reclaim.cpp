// FleetLog, giving memory back: what a purge by tag covers leaves Redis before its time. Nothing
// depends on it: a slice at a time, behind all else, and given up when trouble does not end.
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cache/tier/fleet_log.hpp"
#include "cache/tier/names.hpp"
#include "core/limits.hpp"

namespace scrollgate::tier {
namespace {

using redis::Command;

/// A member of the set that can be the name of a response.
bool is_name(const redis::Reply& reply, std::string_view prefix) noexcept {
    return reply.is_text() && reply.text.starts_with(prefix) && reply.text.size() < 1024;
}

Command remove_command(std::string_view set, std::span<const std::string_view> names) {
    std::vector<std::string_view> words{"ZREM", set};
    words.insert(words.end(), names.begin(), names.end());
    return {Command::Kind::master, words};
}

/// What reclaim_script() answers.
enum class Fate : std::int64_t { not_meant = 0, removed = 1, newer = 2 };

}  // namespace

// By name: a response that has the tag, made before the purge. Since its name came into the set
// another one may have been stored under it, without the tag. Where things stand in a record is in
// docs/cache-format.md; what the tag's text is found in by chance goes, too, and is asked for
// again. Where tags stand farther behind, after very long fields, the response stays until it
// expires: whole bodies are too much to look through while everybody waits.
const redis::Script& FleetLog::reclaim_script() {
    static const redis::Script script(R"(
local there = redis.pcall('GETRANGE', KEYS[1], 0, 8191)
if type(there) ~= 'string' or #there < 88 then return 0 end
local tag = struct.pack('<I2', #ARGV[1]) .. ARGV[1]
if not string.find(there, tag, 89, true) then return 0 end
local low, high = struct.unpack('<I4I4', there, 17)
local purge_low, purge_high = tonumber(ARGV[2]), tonumber(ARGV[3])
if high > purge_high or (high == purge_high and low >= purge_low) then return 2 end
redis.call('UNLINK', KEYS[1])
return 1)",
                                      Command::Kind::master);
    return script;
}

void FleetLog::reclaim_soon(Covering purge) {
    if (to_reclaim_.size() >= limits::tier_reclaims_wait) return;
    to_reclaim_.push_back(std::move(purge));
    if (reclaiming_ >= limits::tier_reclaims) return;
    ++reclaiming_;
    detach(reclaim_all());
}

Task<void> FleetLog::reclaim_all() {
    while (!stopped_ && !to_reclaim_.empty()) {
        Covering purge = std::move(to_reclaim_.front());
        to_reclaim_.pop_front();
        Task<void> one = reclaim(std::move(purge));
        co_await one;
    }
    --reclaiming_;
}

/// What has the tag now; at most what its set may hold. From the set's end, where what is made
/// meanwhile comes in: that moves others to where is looked next, and none past it.
Task<void> FleetLog::reclaim(Covering purge) {
    const std::string set = name_of_tag(state_.prefix, purge.tag);
    std::size_t stay = 0;  // whose responses are newer; they are stepped over
    unsigned troubles = 0;
    for (std::size_t i = 0; i * limits::tier_slice < limits::tier_tagged && !stopped_; ++i) {
        const std::string first = fmt::format("-{}", stay + limits::tier_slice);
        const std::string last = fmt::format("-{}", stay + 1);
        Command range = Command::master({"ZRANGE", set, first, last});
        const TimePoint until = around_.loop.now() + limits::tier_ask;
        const Answer names = co_await around_.writer.ask(std::move(range), until);
        if (stopped_) break;
        std::optional<std::size_t> stayed;
        if (names && names->is_array()) {
            if (names->elements.empty()) break;
            stayed = co_await reclaim(purge, set, names->elements);
        }
        if (stayed) {
            stay += *stayed;
            troubles = 0;
            continue;
        }
        if (stopped_ || ++troubles >= limits::tier_reclaim_troubles) break;
        const TimePoint patience = around_.loop.now() + limits::tier_reclaim_patience;
        const bool up = co_await around_.writer.until_up(patience);
        if (stopped_ || !up) break;
    }
}

/// `names` of `set`: how many stay there; nothing if Redis does not say.
Task<std::optional<std::size_t>> FleetLog::reclaim(const Covering& purge, const std::string& set,
                                                   const std::vector<redis::Reply>& names) {
    const std::string low = fmt::format("{}", static_cast<std::uint32_t>(purge.position));
    const std::string high = fmt::format("{}", purge.position >> 32U);
    std::vector<std::string_view> asked, leave;
    std::vector<Command> commands;
    for (const redis::Reply& name : names) {
        if (!is_name(name, state_.prefix)) {
            leave.push_back(name.text);
            continue;
        }
        asked.push_back(name.text);
        const std::string_view keys[]{name.text};
        const std::string_view arguments[]{purge.tag, low, high};
        commands.push_back(redis::script_command(reclaim_script(), keys, arguments));
    }
    TimePoint until = around_.loop.now() + limits::tier_ask;
    const std::vector<Answer> fates = co_await around_.writer.ask_all(std::move(commands), until);
    if (stopped_) co_return std::nullopt;
    std::size_t stay = 0, gone = 0;
    for (std::size_t k = 0; k < fates.size(); ++k) {
        if (!fates[k] || !fates[k]->is_integer()) co_return std::nullopt;
        const auto fate = static_cast<Fate>(fates[k]->integer);
        if (fate == Fate::removed) ++gone;
        if (fate == Fate::newer) {
            ++stay;
        } else {
            leave.push_back(asked[k]);
        }
    }
    Counts::add(state_.counts.reclaimed, gone);
    if (leave.empty()) co_return stay;
    until = around_.loop.now() + limits::tier_ask;
    const Answer left = co_await around_.writer.ask(remove_command(set, leave), until);
    if (!left || left->is_error()) co_return std::nullopt;
    co_return stay;
}

}  // namespace scrollgate::tier
