// FleetLog, knowing: which nodes live, who has made which purge, and how many responses it covered
// in their memories.
#include <algorithm>
#include <utility>

#include "cache/tier/fleet_log.hpp"
#include "core/limits.hpp"

namespace scrollgate::tier {

// ---- the nodes

void FleetLog::take_nodes(const std::vector<redis::Reply>& records) {
    for (const redis::Reply& one : records) {
        Position position = 0;
        std::optional<NodeRecord> record = read_node(one, position);
        nodes_place_ = std::max(nodes_place_, position);
        if (!record || record->node == around_.node) continue;
        record->position = position;
        take_node(*std::move(record));
    }
    std::erase_if(nodes_, [this](const auto& node) { return !lives(node.second); });
    state_.nodes.store(nodes_.size() + 1, std::memory_order_relaxed);
}

void FleetLog::take_node(NodeRecord record) {
    if (nodes_.size() >= limits::tier_nodes && nodes_.find(record.node) == nodes_.end()) return;
    Node& node = nodes_[record.node];
    node.followed = record.followed;
    node.heard_ms = milliseconds_of(record.position);
    for (const Covered& one : record.covered) {
        if (const auto waiter = waiters_.find(one.purge); waiter != waiters_.end()) {
            waiter->second.covered[record.node] = one.objects;
            continue;
        }
        // Another node's, or one of ours of which the writer has not heard yet.
        if (node.others.size() >= limits::tier_covered) node.others.pop_front();
        node.others.push_back(one);
    }
}

bool FleetLog::lives(const Node& node) const noexcept {
    const std::int64_t now = state_.positions.redis_ms(around_.loop.clock().wall());
    return now - node.heard_ms < std::chrono::milliseconds(limits::tier_gone).count();
}

// ---- who waits for a purge of this node's own

void FleetLog::wait_for(Position purge, Own own) {
    Waiter& waiter = waiters_[purge];
    waiter.until = own.until;
    waiter.done = std::move(own.done);
    waiter.counted = own.record.purge.counted;
    for (const auto& [name, node] : nodes_)
        for (const Covered& one : node.others)
            if (one.purge == purge) waiter.covered[name] = one.objects;
    wake_in({});
}

void FleetLog::look_at_waiters() {
    answer_unsaid(around_.loop.now());
    std::vector<std::pair<Done, Made>> ready;
    std::erase_if(waiters_, [&](auto& waiter) {
        const std::optional<Made> now = made(waiter.first, waiter.second);
        if (now) ready.emplace_back(std::move(waiter.second.done), *now);
        return now.has_value();
    });
    for (const auto& [done, now] : ready)
        done(now);
}

/// Nothing: it is worth while to wait.
std::optional<FleetLog::Made> FleetLog::made(Position purge, const Waiter& waiter) const {
    const TimePoint now = around_.loop.now();
    bool all = state_.positions.followed() >= purge, counted = true;
    Made sum;  // it was made here before it was said
    for (const auto& [name, node] : nodes_) {
        const bool has = node.followed >= purge;
        const auto covered = waiter.covered.find(name);
        const bool told = covered != waiter.covered.end();
        sum.nodes += has ? 1 : 0;
        sum.objects += told ? covered->second : 0;
        all = all && (has || !lives(node));
        counted = counted && (told || !waiter.counted || !has || !lives(node));
    }
    const bool waits_to_be_made = !all && now < waiter.until;
    const bool waits_to_be_counted =
        !counted && now < waiter.until + (limits::tier_count - limits::tier_confirm);
    if (waits_to_be_made || waits_to_be_counted) return std::nullopt;
    return sum;
}

/// Those of the purges that wait to be said whose time is over at `due`.
void FleetLog::answer_unsaid(TimePoint due) {
    for (Own& own : unsaid_)
        if (own.done && own.until <= due) std::exchange(own.done, nullptr)(Made{});
}

// ---- what purges of others have covered here

void FleetLog::count(Position purge, std::uint64_t number) {
    if (counting_.size() >= limits::purges_told) counting_.pop_front();
    counting_.push_back({purge, number});
    wake_in({});
}

/// The store sweeps on the control thread, and has the numbers then.
void FleetLog::look_at_counts() {
    std::erase_if(counting_, [this](const Counting& one) {
        const std::optional<std::uint64_t> objects = state_.store.purged_by(one.number);
        if (!objects) return false;
        if (covered_.size() < limits::purges_told) covered_.push_back({one.purge, *objects});
        return true;
    });
}

}  // namespace scrollgate::tier
