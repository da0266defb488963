// FleetLog, saying: purges to the log, and that this node lives and what it has made.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cache/tier/fleet_log.hpp"
#include "cache/tier/names.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate::tier {
namespace {

constexpr std::size_t at_once = 64;  // commands under way together

std::int64_t wall_ms(const EventLoop& loop) noexcept {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               loop.clock().wall().time_since_epoch())
        .count();
}

/// Where XADD has put a record; 0: nowhere.
Position position_in(const Result<redis::Reply>& answer) noexcept {
    if (!answer || !answer->is_text()) return 0;
    return position_of(answer->text).value_or(0);
}

redis::Command add_command(std::string_view stream, std::size_t keeps, std::string_view id,
                           const std::vector<std::string>& words) {
    const std::string most = fmt::format("{}", keeps);
    std::vector<std::string_view> all{"XADD", stream, "MAXLEN", "~", most, id};
    all.insert(all.end(), words.begin(), words.end());
    return {redis::Command::Kind::write, all};
}

}  // namespace

void FleetLog::say(Purge purge, std::uint64_t since, Done done) {
    Own own;
    own.record.purge = std::move(purge);
    own.record.token = make_token(around_.loop.rng().next());
    own.done = std::move(done);
    own.until = around_.loop.now() + limits::tier_confirm;
    // Nobody to tell: it is told when there is, and the asker hears of this node alone.
    if (own.done && around_.writer.state() != redis::State::up)
        std::exchange(own.done, nullptr)(Made{});
    if (!around_.others.empty()) {
        LogRecord theirs = own.record;
        theirs.purge.counted = false;  // nobody here hears of it
        for (RemoteLog* const other : around_.others)
            other->say(theirs);
    }
    push(std::move(own), since);
}

void FleetLog::push(Own own, std::uint64_t since) {
    make_place();
    const bool added = untold_.emplace(own.record.token, Untold{since}).second;
    if (!added) state_.positions.own_ended(since);
    unsaid_.push_back(std::move(own));
    stir();
}

void FleetLog::know(const std::string& token) {
    if (around_.others.empty()) return;
    if (told_.size() >= limits::tier_batch) told_.pop_front();
    told_.push_back(token);
}

void FleetLog::bring(const LogRecord& record) {
    const bool known = std::find(told_.begin(), told_.end(), record.token) != told_.end() ||
                       untold_.find(record.token) != untold_.end();
    if (known || stopped_) return;
    know(record.token);
    detach(claim(record));
}

/// One node of the fleet brings it; where that cannot be found out, each does.
Task<void> FleetLog::claim(LogRecord record) {
    const std::string seen = name_of_token(state_.prefix, record.token);
    const std::string kept = fmt::format(
        "{}", std::chrono::duration_cast<std::chrono::milliseconds>(2 * limits::tier_said).count());
    redis::Command set = redis::Command::write({"SET", seen, "1", "NX", "PX", kept});
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const Answer answer = co_await around_.writer.ask(std::move(set), until);
    if (stopped_ || (answer && answer->is_nil())) co_return;
    Own own;
    own.record = std::move(record);
    own.record.reset = false;
    own.record.purge.counted = false;
    const std::uint64_t since = state_.positions.own_began();
    const std::string token = own.record.token;
    const bool made = state_.store.purge(own.record.purge).has_value();
    if (made) {
        Counts::add(state_.counts.heard);
        around_.purged();
    }
    push(std::move(own), since);
    if (made) co_return;
    // The store had too many under way: it is made when the log tells it.
    if (const auto found = untold_.find(token); found != untold_.end()) {
        state_.positions.own_ended(found->second.since);
        untold_.erase(found);
    }
}

// More than may wait: one record that purges all that the other nodes have, in place of those that
// wait; of everything untold, if the log is silent for so long.
void FleetLog::make_place() {
    const bool silent = untold_.size() >= limits::tier_log;
    if (!silent && unsaid_.size() < limits::tier_unsaid) return;
    log::warn("redis: more purges wait than may; the other nodes are told to purge everything");
    Counts::add(state_.counts.unsaid, unsaid_.size());
    std::optional<std::uint64_t> since;
    for (Own& own : unsaid_) {
        const auto found = untold_.find(own.record.token);
        if (found != untold_.end()) take_over(found, since);
    }
    answer_unsaid(never);
    unsaid_.clear();
    while (silent && !untold_.empty())
        take_over(untold_.begin(), since);
    push_all(since);
}

/// One record for the other nodes that purges everything; `since`: of those that it stands for.
void FleetLog::push_all(std::optional<std::uint64_t> since) {
    Own one;
    one.record = of_everything(0);
    one.record.token = make_token(around_.loop.rng().next());
    if (!since) since = state_.positions.own_began();
    untold_.emplace(one.record.token, Untold{*since});
    unsaid_.push_back(std::move(one));
}

// What stands for several of its own holds from the first of them on.
void FleetLog::take_over(UntoldByToken::iterator one, std::optional<std::uint64_t>& since) {
    const std::uint64_t its = one->second.since;
    untold_.erase(one);
    if (since) state_.positions.own_ended(std::max(*since, its));
    since = since ? std::min(*since, its) : its;
}

// The log was read up to there: what was said before and not read back is no longer in it.
void FleetLog::end_said(Position until) {
    std::erase_if(untold_, [&](const auto& one) {
        const Untold& untold = one.second;
        if (untold.said == 0 || untold.said > until) return false;
        state_.positions.own_ended(untold.since);
        return true;
    });
}

// What the log may have lost of what stood before `before`.
void FleetLog::say_again(Again which, Position before) {
    const TimePoint now = around_.loop.now();
    said_last_ = 0;  // whoever has missed those will hear of them
    std::deque<Said> said = std::exchange(said_, {});
    for (Said& one : said) {
        if (now - one.when > limits::tier_said) continue;
        const bool told = which == Again::untold && untold_.find(one.record.token) == untold_.end();
        if (told || one.record.position >= before) {
            said_.push_back(std::move(one));
            continue;
        }
        make_place();
        const auto [known, added] = untold_.try_emplace(one.record.token);
        if (added) known->second.since = state_.positions.own_began();
        known->second.said = 0;
        Own own;
        own.record = std::move(one.record);
        unsaid_.push_back(std::move(own));
    }
    say_forgotten(which, before);
    stir();
}

/// The same for what said_ had no room for: nobody knows any more what it was.
void FleetLog::say_forgotten(Again which, Position before) {
    const bool some = which == Again::all && forgotten_ != TimePoint() &&
                      around_.loop.now() - forgotten_ <= limits::tier_said;
    std::optional<std::uint64_t> since;
    for (auto one = untold_.begin(); one != untold_.end();) {
        const auto next = std::next(one);
        if (one->second.said != 0 && one->second.said < before) take_over(one, since);
        one = next;
    }
    if (!some && !since) return;
    log::warn("redis: purges that are forgotten may be lost; the other nodes purge everything");
    forgotten_ = {};
    push_all(since);
}

bool FleetLog::beat_is_due() const noexcept {
    if (!synced_) return false;
    return around_.loop.now() - beaten_ >= limits::tier_beat || !covered_.empty() ||
           state_.positions.followed() != beaten_with_;
}

// Not before it is known whether the log is there: the first record of a new one says so.
void FleetLog::stir() {
    const bool something = synced_ && (!unsaid_.empty() || beat_is_due());
    if (speaking_ || stopped_ || !something || around_.writer.state() != redis::State::up) return;
    speaking_ = true;
    detach(speak());
}

Task<void> FleetLog::speak() {
    bool well = true;
    while (well && synced_ && !stopped_ && (!unsaid_.empty() || beat_is_due())) {
        if (!unsaid_.empty()) well = co_await say_some();
        if (well && !stopped_ && beat_is_due()) well = co_await beat();
    }
    speaking_ = false;
}

redis::Command FleetLog::command_for(const LogRecord& record, std::string_view id) const {
    return add_command(purges_, limits::tier_log, id, words_of(record));
}

/// False: something could not be said, and stays.
Task<bool> FleetLog::say_some() {
    std::vector<Own> now;
    std::vector<redis::Command> commands;
    while (!unsaid_.empty() && now.size() < at_once) {
        unsaid_.front().record.after = std::max(place_, said_last_);
        commands.push_back(command_for(unsaid_.front().record, "*"));
        now.push_back(std::move(unsaid_.front()));
        unsaid_.pop_front();
    }
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const std::vector<Answer> answers = co_await around_.writer.ask_all(std::move(commands), until);
    bool all = true;
    for (std::size_t i = now.size(); i-- > 0;) {
        const Position position = i < answers.size() ? position_in(answers[i]) : 0;
        if (position != 0) {
            said(std::move(now[i]), position);
            continue;
        }
        all = false;
        unsaid_.push_front(std::move(now[i]));
    }
    // What waits behind those can be said no more than they.
    if (!all) answer_unsaid(never);
    look_at_waiters();
    co_return all;
}

void FleetLog::said(Own own, Position position) {
    Counts::add(state_.counts.said);
    const TimePoint now = around_.loop.now();
    while (!said_.empty() &&
           (said_.size() >= limits::tier_unsaid || now - said_.front().when > limits::tier_said)) {
        forgotten_ = said_.front().when;
        said_.pop_front();
    }
    said_last_ = std::max(said_last_, position);
    if (const auto known = untold_.find(own.record.token); known != untold_.end()) {
        known->second.said = position;
        known->second.when = now;
    }
    const Purge& purge = own.record.purge;
    if (!own.record.reset && purge.by == Purge::By::tag && !purge.soft) reclaim_soon(purge.what);
    if (!own.record.reset) {
        said_.push_back({own.record, now});
        said_.back().record.purge.counted = false;  // if it is said again, nobody waits for it
        said_.back().record.position = position;
    }
    if (own.done) wait_for(position, std::move(own));
}

Task<bool> FleetLog::say_reset(std::string id) {
    LogRecord record;
    record.reset = true;
    record.token = make_token(around_.loop.rng().next());
    redis::Command command = command_for(record, id);
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const Answer answer = co_await around_.writer.ask(std::move(command), until);
    co_return position_in(answer) != 0;
}

/// Once for each time that the log cannot be followed.
void FleetLog::complain_of(const Answer& answer) {
    if (!answer || !answer->is_error() || std::exchange(complained_, true)) return;
    log::warn("redis: the log of purges cannot be followed, and the tier stays unused: {}",
              redis::printable(answer->text));
}

/// That this node lives, and what it has made; the answer tells Redis's time.
Task<bool> FleetLog::beat() {
    NodeRecord record;
    record.node = around_.node;
    record.followed = state_.positions.followed();
    const std::size_t some = std::min(covered_.size(), limits::tier_covered);
    record.covered.assign(covered_.begin(), covered_.begin() + static_cast<std::ptrdiff_t>(some));
    redis::Command command = add_command(nodes_name_, limits::tier_node_log, "*", words_of(record));
    const std::int64_t before = wall_ms(around_.loop);
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const Answer answer = co_await around_.writer.ask(std::move(command), until);
    const Position position = position_in(answer);
    complain_of(answer);
    if (position == 0 || stopped_) co_return false;
    covered_.erase(covered_.begin(), covered_.begin() + static_cast<std::ptrdiff_t>(some));
    const std::int64_t ours = (before + wall_ms(around_.loop)) / 2;
    state_.positions.clock_is_ahead(milliseconds_of(position) - ours);
    beaten_ = around_.loop.now();
    beaten_with_ = record.followed;
    co_return true;
}

}  // namespace scrollgate::tier
