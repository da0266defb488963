#include "proxy/caching/purge_desk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/caching/fleet.hpp"

namespace scrollgate {

std::optional<std::uint64_t> PurgeDesk::make(const Purge& purge, Waiting& waiting) {
    if (fleet_ == nullptr) return store_.purge(purge);
    const auto number =
        fleet_->purge(purge, [confirmed = waiting.confirmed](const Fleet::Made& made) {
            --confirmed->missing;
            confirmed->nodes = std::min(confirmed->nodes, made.nodes);
            confirmed->objects += made.objects;
        });
    if (number) ++waiting.confirmed->missing;
    return number;
}

bool PurgeDesk::ask(const std::vector<Purge>& purges, Done done) {
    Waiting waiting;
    bool all = true;
    for (const Purge& purge : purges) {
        const std::optional<std::uint64_t> number = make(purge, waiting);
        all = all && number.has_value();
        if (number) waiting.numbers.push_back(*number);
    }
    if (all) {
        waiting.done = std::move(done);
        waiting_.push_back(std::move(waiting));
    }
    look();
    return all;
}

void PurgeDesk::look() {
    if (!std::exchange(sweeping_, true)) sweep_in(Duration::zero());
}

void PurgeDesk::sweep_in(Duration span) {
    alarm_.set(span, [this] { sweep(); });
}

void PurgeDesk::sweep() {
    const bool swept = store_.sweep(limits::sweep_slice);
    tell();
    sweeping_ = !swept || !waiting_.empty();
    // All is swept, but not counted yet: nothing to hurry for.
    if (sweeping_) sweep_in(swept ? limits::sweep_rest : Duration::zero());
}

void PurgeDesk::tell() {
    std::vector<Waiting> ready;
    for (Waiting& one : waiting_)
        std::erase_if(one.numbers, [&](std::uint64_t number) {
            const std::optional<std::uint64_t> objects = store_.purged_by(number);
            one.objects += objects.value_or(0);
            return objects.has_value();
        });
    const auto first = std::stable_partition(waiting_.begin(), waiting_.end(), [](const auto& one) {
        return !one.numbers.empty() || one.confirmed->missing > 0;
    });
    std::move(first, waiting_.end(), std::back_inserter(ready));
    waiting_.erase(first, waiting_.end());
    for (const Waiting& one : ready)
        one.done(one.objects + one.confirmed->objects,
                 fleet_ == nullptr ? 1 : one.confirmed->nodes);
}

}  // namespace scrollgate
