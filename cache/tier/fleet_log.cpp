#include "cache/tier/fleet_log.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cache/tier/names.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate::tier {
namespace {

constexpr Duration tick = std::chrono::milliseconds(250);
constexpr Duration tick_waited_for = std::chrono::milliseconds(10);

std::string count_of(std::size_t number) {
    return fmt::format("{}", number);
}

}  // namespace

FleetLog::FleetLog(Around around)
    : around_(std::move(around)),
      state_(around_.state),
      purges_(name_of_purges(state_.prefix)),
      nodes_name_(name_of_nodes(state_.prefix)) {}

void FleetLog::start() {
    state_.positions.begin();
    wake_in({});
}

void FleetLog::stop() noexcept {
    stopped_ = true;
    disarm();
    lose_step();
}

void FleetLog::wake_in(Duration span) {
    if (!stopped_) around_.loop.arm(*this, around_.loop.now() + span);
}

void FleetLog::expired() noexcept {
    if (!reading_ && around_.reader.state() == redis::State::up) {
        reading_ = true;
        detach(follow());
    }
    take_nodes({});  // some may have died
    look_at_counts();
    stir();
    look_at_waiters();
    const bool says = synced_ && around_.writer.state() == redis::State::up;
    tell_others_waiting(says ? around_.loop.now() - tick : never);
    wake_in(waiters_.empty() && counting_.empty() ? tick : tick_waited_for);
}

void FleetLog::lose_step() noexcept {
    synced_ = false;
    state_.positions.in_step_until({});
}

// ---- following

Task<void> FleetLog::follow() {
    if (!synced_) synced_ = co_await catch_up();
    stir();
    // Whatever does not wait for news as it is asked to is asked again by the next look.
    for (in_vain_ = false; synced_ && !stopped_ && !in_vain_;) {
        const bool went_on = co_await read_on();
        if (!went_on) lose_step();
    }
    reading_ = false;
}

Task<FleetLog::Answer> FleetLog::range(std::string_view from, std::string_view to) {
    // Of the master, whatever else may be read from replicas.
    redis::Command read =
        redis::Command::master({"XRANGE", purges_, from, to, "COUNT", "1"}).blocking();
    return around_.reader.ask(std::move(read), around_.loop.now() + limits::tier_ask);
}

/// Finds its place in the log as it is now. False: not yet; the next look tries again.
Task<bool> FleetLog::catch_up() {
    // Redis's clock comes with the first beat.
    const bool beaten = co_await beat();
    if (!beaten || stopped_) co_return false;
    const Answer answer = co_await range("-", "+");
    complain_of(answer);
    if (!answer || !answer->is_array() || stopped_) co_return false;
    if (answer->elements.empty()) {
        // Nobody has purged anything ever, or all of it is lost.
        static_cast<void>(co_await begin_anew(place_ != 0));
        co_return false;
    }
    LogRecord first;
    static_cast<void>(read_purge(answer->elements.front(), first));
    if (first.position == 0) {
        log::error("redis: {} holds what is no log of purges; the tier stays unused", purges_);
        co_return false;
    }
    co_return co_await find_place(std::move(first));
}

Task<bool> FleetLog::find_place(LogRecord first) {
    if (place_ == 0) {
        start_at(first.position - 1);
        co_return true;
    }
    const std::string mine = id_of(place_);
    const Answer answer = co_await range(mine, mine);
    if (!answer || !answer->is_array() || stopped_) co_return false;
    if (!answer->elements.empty()) {
        // Nothing is missing, but for what a replica may have lost that is the master by now.
        say_again(Again::untold);
        co_return true;
    }
    if (first.position <= place_) {
        static_cast<void>(co_await begin_anew(true));
        co_return false;
    }
    if (!first.reset || was_away_too_long()) {
        // Purges have passed by, and nobody knows which: whatever they were, they are in force now.
        log::warn(
            "redis: more was purged while this node was away than the log keeps; all of its "
            "memory is purged");
        if (!purge_memory()) co_return false;
    }
    say_again(Again::all);
    start_at(first.position - 1);
    co_return true;
}

/// The log's end was lost, with this node's place. It goes on behind all that anybody knew, so that
/// positions are never used twice, and says that nothing written before counts.
Task<bool> FleetLog::begin_anew(bool tail_is_lost) {
    if (!tail_is_lost) co_return co_await say_reset("*");
    Position known = std::max(place_, said_last_);
    for (const auto& [name, node] : nodes_)
        known = std::max(known, node.followed);
    const Position now = position_at(state_.positions.redis_ms(around_.loop.clock().wall()));
    if (was_away_too_long() && !purge_memory()) co_return false;
    bool reset = co_await say_reset(id_of(std::max(known + 1, now)));
    // The stream is still there, though empty, and was further.
    if (!reset && !stopped_) reset = co_await say_reset("*");
    if (!reset || stopped_) co_return false;
    log::warn("redis: the log of purges was lost; it begins anew, and what the tier holds is void");
    say_again(Again::all);
    place_ = 0;
    co_return true;
}

/// Longer than others say again what was lost.
bool FleetLog::was_away_too_long() const {
    return around_.loop.now() - read_at_ > limits::tier_said;
}

/// False: the store has too many purges under way.
bool FleetLog::purge_memory() {
    if (!state_.store.purge(of_everything(0).purge)) return false;
    around_.purged();
    return true;
}

void FleetLog::start_at(Position before) {
    state_.positions.begin();
    end_said(before);
    place_ = before;
    nodes_place_ = 0;
    read_at_ = around_.loop.now();
}

Task<bool> FleetLog::read_on() {
    const std::string from = id_of(place_);
    const std::string nodes_from = id_of(nodes_place_);
    const std::string most = count_of(limits::tier_batch);
    const std::string wait =
        count_of(static_cast<std::size_t>(std::chrono::milliseconds(limits::tier_block).count()));
    redis::Command read = redis::Command::master({"XREAD", "COUNT", most, "BLOCK", wait, "STREAMS",
                                                  purges_, nodes_name_, from, nodes_from},
                                                 6)
                              .blocking();
    const TimePoint asked = around_.loop.now(), until = asked + limits::tier_in_step;
    const Answer answer = co_await around_.reader.ask(std::move(read), until);
    complain_of(answer);
    if (stopped_ || !answer || answer->is_error()) co_return false;
    // We stood still, and the answer is as old.
    if (around_.loop.now() > until) co_return false;
    const Position was = place_, nodes_was = nodes_place_;
    const auto* const purges = records_of(*answer, purges_);
    if (purges != nullptr && purges->size() >= limits::tier_batch) {
        const bool cut = co_await was_cut();
        if (cut || stopped_) co_return false;
    }
    if (purges != nullptr && !take_purges(*purges)) co_return false;
    const auto* const nodes = records_of(*answer, nodes_name_);
    if (nodes != nullptr) take_nodes(*nodes);
    // A full batch: there is more that is not known yet.
    if (purges == nullptr || purges->size() < limits::tier_batch) {
        if (!keep_up_with_nodes()) co_return false;
        if (own_are_lost(asked)) say_again(Again::untold);
        if (state_.log_refuses.exchange(false, std::memory_order_relaxed))
            log::info("redis: the log of purges is followed again");
        read_at_ = around_.loop.now();
        state_.positions.in_step_until(read_at_ + limits::tier_in_step);
    }
    in_vain_ = place_ == was && nodes_place_ == nodes_was &&
               around_.loop.now() - asked < limits::tier_block / 2;
    stir();
    look_at_waiters();
    co_return true;
}

/// This node is far behind. True: the log may have been cut off in front of it meanwhile, which
/// find_place() sees to.
Task<bool> FleetLog::was_cut() {
    const Answer answer = co_await range("-", "+");
    if (!answer || !answer->is_array() || answer->elements.empty()) co_return true;
    LogRecord first;
    static_cast<void>(read_purge(answer->elements.front(), first));
    co_return first.position == 0 || first.position > place_ + 1;
}

bool FleetLog::take_purges(const std::vector<redis::Reply>& records) {
    bool made = true;
    for (const redis::Reply& one : records) {
        LogRecord record;
        const Unreadable why = read_purge(one, record);
        // Ids ascend: these are changed, and where the log goes on is not known.
        if (record.position <= place_) return false;
        made = (record.after <= place_ || make_up(record.after)) && make(record);
        if (!made) break;
        state_.counts.read(why, record.checked);
        if (why != Unreadable::no)
            log::warn(
                "redis: record {} of {} cannot be read ({}): all of this node's memory is "
                "purged",
                id_of(record.position), purges_, token(why));
        place_ = record.position;
    }
    around_.purged();
    return made;
}

/// Records up to `until` were in the log, and are gone. Whatever they were, they are in force from
/// now on, and later ones go on from there. False as make().
bool FleetLog::make_up(Position until) {
    log::warn(
        "redis: {} has lost what this node had not read yet, up to {}; all of its memory is purged",
        purges_, id_of(until));
    if (!make(of_everything(until))) return false;
    place_ = until;
    around_.purged();
    return true;
}

/// After the log was read to its end. What claims to be of the future is no place in it. False as
/// make().
bool FleetLog::keep_up_with_nodes() {
    const std::int64_t now = state_.positions.redis_ms(around_.loop.clock().wall());
    const std::int64_t skew = std::chrono::milliseconds(limits::tier_skew).count();
    Position furthest = place_;
    for (const auto& [name, node] : nodes_)
        if (milliseconds_of(node.followed) <= now + skew)
            furthest = std::max(furthest, node.followed);
    return furthest == place_ || make_up(furthest);
}

/// What was said before the log was `asked` for, to its end, and was not there.
bool FleetLog::own_are_lost(TimePoint asked) const {
    return std::any_of(untold_.begin(), untold_.end(), [asked](const auto& one) {
        return one.second.said != 0 && one.second.when < asked;
    });
}

/// False: the store has too many under way; it will be made later.
bool FleetLog::make(const LogRecord& record) {
    Positions& positions = state_.positions;
    if (record.reset) {
        positions.begin();
        say_again(Again::all, record.position);
    }
    const auto own = untold_.find(record.token);
    const bool is_untold = own != untold_.end(), is_own = is_untold && own->second.made;
    // What is this node's own was made before it was said; once more would only cost what came
    // since.
    std::optional<std::uint64_t> number = state_.store.purge_position();
    if (!record.reset && !is_own) {
        number = state_.store.purge(record.purge);
        if (!number) return false;
        Counts::add(state_.counts.heard);
        if (record.purge.counted) count(record.position, *number);
    }
    // Before the step, which else would be kept below it.
    if (is_untold) {
        // Its writer is of this fleet all the same, and may wait for what it covered here.
        if (own->second.brought && record.purge.counted)
            count(record.position, *own->second.brought);
        positions.own_ended(own->second.since);
        untold_.erase(own);
    }
    positions.step(record.position, *number);
    know(record.token);
    return true;
}

}  // namespace scrollgate::tier
