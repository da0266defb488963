// FleetLog, saying: purges to the log, and that this node lives and what it has made.
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cache/tier/fleet_log.hpp"
#include "cache/tier/names.hpp"
#include "cache/tier/once.hpp"
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
    const bool nobody =
        around_.writer.state() != redis::State::up || (!synced_ && state_.log_refuses.load());
    if (own.done && nobody) std::exchange(own.done, nullptr)(Made{});
    tell_others(own.record);
    push(std::move(own), since);
}

// The others are told when the record stands in this fleet's log, or could not be written: one that
// came back by another cloud before that would be written here by whoever hears it first.
void FleetLog::tell_others(LogRecord record) {
    if (around_.others.empty()) return;
    record.purge.counted = false;  // nobody here hears of it
    telling_.push_back({std::move(record), around_.loop.now()});
    const bool says = synced_ && around_.writer.state() == redis::State::up;
    if (!says || telling_.size() >= limits::tier_unsaid) tell_others_waiting(never);
}

void FleetLog::tell_others_of(std::string_view token) {
    const auto one = std::find_if(telling_.begin(), telling_.end(),
                                  [token](const auto& t) { return t.record.token == token; });
    if (one == telling_.end()) return;
    const LogRecord record = std::move(one->record);
    telling_.erase(one);
    for (RemoteLog* const other : around_.others)
        other->say(record);
}

/// Of those that have waited since then.
void FleetLog::tell_others_waiting(TimePoint since) {
    while (!telling_.empty() && telling_.front().since <= since)
        tell_others_of(telling_.front().record.token);
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
    detach(bring_in(record));
}

/// One node of the fleet brings it, and all of them make it when the log tells it: whoever waits
/// for this purge counts what it covers.
Task<void> FleetLog::bring_in(LogRecord record) {
    record.reset = false;
    record.purge.counted = false;
    record.after = std::max(place_, said_last_);
    // While it is not known whether the log is there, nothing is said; but the mark may be.
    const bool says = synced_;
    const std::string mark = name_of_token(state_.prefix, record.token);
    redis::Command command =
        says ? once_command(state_.prefix, record) : redis::Command::master({"GET", mark});
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const Answer answer = co_await around_.writer.ask(std::move(command), until);
    if (stopped_ || (!says && answer && answer->is_text())) co_return;
    const Stands stands = says ? stands_in(answer) : Stands{};
    if (stands.position == 0) {
        make_brought(std::move(record));
    } else if (!stands.before) {
        if (stands.position > place_)
            untold_.emplace(
                record.token,
                Untold{
                    state_.positions.own_began(), stands.position, around_.loop.now(), false, {}});
        remember(std::move(record), stands.position);
    }
}

/// It is in force here from now on, and is said when it can be.
void FleetLog::make_brought(LogRecord record) {
    Purge purge = record.purge;
    purge.counted = true;  // this fleet's log may tell that somebody waits for it
    const std::uint64_t since = state_.positions.own_began();
    const std::optional<std::uint64_t> number = state_.store.purge(purge);
    if (number) {
        Counts::add(state_.counts.heard);
        around_.purged();
    }
    const std::string token = record.token;
    Own own;
    own.record = std::move(record);
    push(std::move(own), since);
    const auto found = untold_.find(token);
    if (found == untold_.end()) return;
    // Else the store had too many under way.
    found->second.made = number.has_value();
    found->second.brought = number;
}

// More than may wait: one record that purges all that the other nodes have, in place of those that
// wait; of everything untold, if the log is silent for so long.
void FleetLog::make_place() {
    const bool silent = untold_.size() >= limits::tier_log;
    if (!silent && unsaid_.size() < limits::tier_unsaid) return;
    log::warn("redis: more purges wait than may; the other nodes are told to purge everything");
    Counts::add(state_.counts.unsaid, unsaid_.size());
    std::optional<Untold> all;
    for (Own& own : unsaid_) {
        const auto found = untold_.find(own.record.token);
        if (found != untold_.end()) take_over(found, all);
    }
    answer_unsaid(never);
    unsaid_.clear();
    while (silent && !untold_.empty())
        take_over(untold_.begin(), all);
    push_all(all);
}

/// One record for the other nodes that purges everything; `all`: those that it stands for.
void FleetLog::push_all(std::optional<Untold> all) {
    Own one;
    one.record = of_everything(0);
    one.record.token = make_token(around_.loop.rng().next());
    if (!all) all = Untold{state_.positions.own_began()};
    untold_.emplace(one.record.token, *all);
    unsaid_.push_back(std::move(one));
}

// What stands for several holds from the first of them on, and is made here, too, if one was not.
void FleetLog::take_over(UntoldByToken::iterator one, std::optional<Untold>& all) {
    const Untold its = one->second;
    untold_.erase(one);
    if (!all) {
        all = Untold{its.since, 0, {}, its.made, {}};
        return;
    }
    state_.positions.own_ended(std::max(all->since, its.since));
    all->since = std::min(all->since, its.since);
    all->made = all->made && its.made;
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
    std::optional<Untold> all;
    for (auto one = untold_.begin(); one != untold_.end();) {
        const auto next = std::next(one);
        if (one->second.said != 0 && one->second.said < before) take_over(one, all);
        one = next;
    }
    if (!some && !all) return;
    log::warn("redis: purges that are forgotten may be lost; the other nodes purge everything");
    forgotten_ = {};
    push_all(all);
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
        if (stopped_ || !beat_is_due()) continue;
        // Even if a purge could not be said: this node lives, and others wait for its word.
        const bool beaten = co_await beat();
        well = well && beaten;
    }
    speaking_ = false;
}

redis::Command FleetLog::command_for(const LogRecord& record) const {
    if (!around_.others.empty()) return once_command(state_.prefix, record);
    return add_command(purges_, limits::tier_log, "*", words_of(record));
}

/// False: something could not be said, and stays.
Task<bool> FleetLog::say_some() {
    std::vector<Own> now;
    std::vector<redis::Command> commands;
    while (!unsaid_.empty() && now.size() < at_once) {
        unsaid_.front().record.after = std::max(place_, said_last_);
        commands.push_back(command_for(unsaid_.front().record));
        now.push_back(std::move(unsaid_.front()));
        unsaid_.pop_front();
    }
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const std::vector<Answer> answers = co_await around_.writer.ask_all(std::move(commands), until);
    bool all = true;
    std::vector<std::string> tokens(now.size());
    for (std::size_t i = now.size(); i-- > 0;) {
        const Stands stands = i < answers.size() ? stands_in(answers[i]) : Stands{};
        tokens[i] = now[i].record.token;
        if (stands.position != 0) {
            // Somebody has brought it meanwhile, and asks nobody to count.
            if (stands.before) now[i].record.purge.counted = false;
            said(std::move(now[i]), stands.position);
            continue;
        }
        all = false;
        unsaid_.push_front(std::move(now[i]));
    }
    // What waits behind those can be said no more than they.
    if (!all) answer_unsaid(never);
    for (const std::string& token : tokens)
        tell_others_of(token);
    look_at_waiters();
    co_return all;
}

void FleetLog::said(Own own, Position position) {
    if (const auto known = untold_.find(own.record.token); known != untold_.end()) {
        known->second.said = position;
        known->second.when = around_.loop.now();
        // Another node has brought it, and it was read.
        if (position <= place_) {
            state_.positions.own_ended(known->second.since);
            untold_.erase(known);
        }
    }
    remember(own.record, position);
    if (own.done) wait_for(position, std::move(own));
}

/// That it stands in the log: it may be lost.
void FleetLog::remember(LogRecord record, Position position) {
    Counts::add(state_.counts.said);
    const TimePoint now = around_.loop.now();
    while (!said_.empty() &&
           (said_.size() >= limits::tier_unsaid || now - said_.front().when > limits::tier_said)) {
        forgotten_ = said_.front().when;
        said_.pop_front();
    }
    said_last_ = std::max(said_last_, position);
    const Purge& purge = record.purge;
    if (purge.by == Purge::By::tag && !purge.soft) reclaim_soon({purge.what, position});
    record.purge.counted = false;  // if it is said again, nobody waits for it
    record.position = position;
    said_.push_back({std::move(record), now});
}

Task<bool> FleetLog::say_reset(std::string id) {
    LogRecord record;
    record.reset = true;
    record.token = make_token(around_.loop.rng().next());
    redis::Command command = add_command(purges_, limits::tier_log, id, words_of(record));
    const TimePoint until = around_.loop.now() + limits::tier_ask;
    const Answer answer = co_await around_.writer.ask(std::move(command), until);
    co_return stands_in(answer).position != 0;
}

/// Once for each time that the log cannot be followed.
void FleetLog::complain_of(const Answer& answer) {
    if (!answer || !answer->is_error() || state_.log_refuses.exchange(true)) return;
    log::warn("redis: the log of purges cannot be followed, and the tier stays unused: {}",
              redis::printable(answer->text));
}

/// Before it is in step it cannot follow the log without; then it is others who miss its word.
void FleetLog::note_beat(const Answer& answer) {
    if (!answer) return;
    if (!synced_) return complain_of(answer);
    if (std::exchange(beat_refused_, answer->is_error()) == answer->is_error()) return;
    if (answer->is_error())
        log::warn("redis: that this node is there cannot be written to its log: {}",
                  redis::printable(answer->text));
    else
        log::info("redis: the log takes what this node says again");
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
    const Position position = stands_in(answer).position;
    note_beat(answer);
    if (position == 0 || stopped_) co_return false;
    covered_.erase(covered_.begin(), covered_.begin() + static_cast<std::ptrdiff_t>(some));
    const std::int64_t ours = (before + wall_ms(around_.loop)) / 2;
    state_.positions.clock_is_ahead(milliseconds_of(position) - ours);
    beaten_ = around_.loop.now();
    beaten_with_ = record.followed;
    co_return true;
}

}  // namespace scrollgate::tier
