// FleetLog, giving memory back: what a purge by tag covers leaves Redis before its time. Nothing
// depends on it: a slice at a time, behind all else, and given up at the first trouble.
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

Command remove_command(std::string_view set, const std::vector<redis::Reply>& names) {
    std::vector<std::string_view> words{"ZREM", set};
    for (const redis::Reply& name : names)
        words.push_back(name.text);
    return {Command::Kind::master, words};
}

}  // namespace

void FleetLog::reclaim_soon(std::string tag) {
    if (to_reclaim_.size() >= limits::tier_reclaims_wait) return;
    to_reclaim_.push_back(std::move(tag));
    if (reclaiming_ >= limits::tier_reclaims) return;
    ++reclaiming_;
    detach(reclaim_all());
}

Task<void> FleetLog::reclaim_all() {
    while (!stopped_ && !to_reclaim_.empty()) {
        std::string tag = std::move(to_reclaim_.front());
        to_reclaim_.pop_front();
        Task<void> one = reclaim(std::move(tag));
        co_await one;
    }
    --reclaiming_;
}

/// What has the tag now; at most what its set may hold.
Task<void> FleetLog::reclaim(std::string tag) {
    const std::string set = name_of_tag(state_.prefix, tag);
    const std::string last = fmt::format("{}", limits::tier_slice - 1);
    for (std::size_t i = 0; i * limits::tier_slice < limits::tier_tagged && !stopped_; ++i) {
        Command range = Command::master({"ZRANGE", set, "0", last});
        TimePoint until = around_.loop.now() + limits::tier_ask;
        const Answer names = co_await around_.writer.ask(std::move(range), until);
        if (stopped_ || !names || !names->is_array() || names->elements.empty()) break;
        std::vector<Command> commands;
        for (const redis::Reply& name : names->elements)
            if (is_name(name, state_.prefix))
                commands.push_back(Command::master({"UNLINK", name.text}));
        commands.push_back(remove_command(set, names->elements));
        until = around_.loop.now() + limits::tier_ask;
        const std::vector<Answer> answers =
            co_await around_.writer.ask_all(std::move(commands), until);
        std::uint64_t gone = 0;
        for (std::size_t k = 0; k + 1 < answers.size(); ++k)
            if (answers[k] && answers[k]->is_integer()) gone += answers[k]->integer > 0 ? 1 : 0;
        Counts::add(state_.counts.reclaimed, gone);
        if (answers.empty() || !answers.back() || answers.back()->is_error()) break;
    }
}

}  // namespace scrollgate::tier
