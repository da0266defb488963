#include "cache/store/purge_log.hpp"

#include <algorithm>

namespace scrollgate {
namespace {

constexpr std::uint64_t bytes_least = 256 * limits::KiB;
constexpr std::uint64_t capacity_part = 4;  // of the store's memory, one is the most for purges
constexpr unsigned drops_most = 64;         // in one call
constexpr std::size_t rule_bytes = 512;     // of one, in all tables, beside its text

void raise(std::atomic<std::uint64_t>& last, std::uint64_t number) noexcept {
    std::uint64_t was = last.load(std::memory_order_relaxed);
    while (was < number && !last.compare_exchange_weak(was, number)) {
    }
}

}  // namespace

PurgeLog::Table& PurgeLog::table(Purge::By by) noexcept {
    return by == Purge::By::url ? urls_ : by == Purge::By::prefix ? prefixes_ : tags_;
}

std::optional<std::uint64_t> PurgeLog::add(const Purge& purge) {
    const std::lock_guard lock(mutex_);
    const std::size_t bytes = rule_bytes + purge.what.size();
    if (!make_place(bytes)) return std::nullopt;
    bytes_ += bytes;
    ledger_.add(bytes);
    const std::uint64_t number = position_.load(std::memory_order_relaxed) + 1;
    Rule rule{purge.by, purge.counted, {}};
    if (purge.by == Purge::By::all) {
        supersede(all_, purge);
        all_.push_back({number, purge.soft, {}});
    } else {
        const bool by_tag = purge.by == Purge::By::tag;
        const auto place =
            table(purge.by).try_emplace(by_tag ? purge.what : url_of_purge(purge.what)).first;
        rule.what = place->first;
        Marks& marks = place->second;
        if (purge.by == Purge::By::prefix && marks.empty()) ++lengths_[rule.what.size()];
        supersede(marks, purge);
        marks.push_back({number, purge.soft, by_tag ? std::string() : purge.scheme});
    }
    if (purge.by == Purge::By::tag) {
        last_tag_ = number;
        unswept_tags_.emplace(number, true);
    } else if (purge.by != Purge::By::url) {
        unswept_others_.emplace(number, true);
    }
    rules_.emplace(number, rule);
    position_.store(number);
    return number;
}

// The oldest that are swept go, whatever fill may still be older.
bool PurgeLog::make_place(std::size_t bytes) {
    const std::uint64_t share = ledger_.capacity() / capacity_part;
    const std::uint64_t most = std::clamp(share, bytes_least, limits::purge_bytes);
    const auto fits = [&] { return rules_.size() < limits::purge_rules && bytes_ + bytes <= most; };
    for (unsigned i = 0; i < drops_most && !fits(); ++i) {
        const auto old = std::find_if(rules_.begin(), rules_.end(),
                                      [](const auto& rule) { return rule.second.swept; });
        if (old == rules_.end()) return false;
        drop(old);
    }
    return fits();
}

// A later purge of the same covers all that an earlier one does, so one URL that is purged again
// and again takes one place. Whoever waits for the earlier one's count has it swept first.
void PurgeLog::supersede(Marks& marks, const Purge& purge) {
    const std::string_view scheme = purge.by == Purge::By::url || purge.by == Purge::By::prefix
                                        ? std::string_view(purge.scheme)
                                        : std::string_view();
    std::erase_if(marks, [&](const Mark& mark) {
        if (mark.soft != purge.soft || mark.scheme != scheme) return false;
        const auto rule = rules_.find(mark.number);
        if (!rule->second.swept && rule->second.counted) return false;
        finish(rule);
        give_back(rule);
        return true;
    });
}

void PurgeLog::give_back(Rules::iterator rule) {
    const auto [by, counted, what, swept] = rule->second;
    const bool by_place = by == Purge::By::url || by == Purge::By::prefix;
    // The line feed between authority and target is the table's.
    const std::size_t bytes = rule_bytes + what.size() - (by_place ? 1 : 0);
    bytes_ -= bytes;
    ledger_.release(bytes);
    rules_.erase(rule);
}

void PurgeLog::compare_entries(std::uint64_t number) noexcept {
    raise(unswept_, number);
}

void PurgeLog::compare_chosen(std::uint64_t number) {
    {
        const std::lock_guard lock(mutex_);
        // A newer one of the same URL may have taken its place.
        if (rules_.find(number) != rules_.end()) unswept_others_.emplace(number, false);
    }
    raise(unswept_chosen_, number);
}

const PurgeLog::Marks* PurgeLog::find(const Table& table, std::string_view what) noexcept {
    if (table.empty()) return nullptr;
    const auto found = table.find(what);
    return found == table.end() ? nullptr : &found->second;
}

void PurgeLog::see(Covered& covered, const Marks* marks, std::string_view scheme,
                   std::uint64_t since) noexcept {
    if (marks == nullptr) return;
    for (const Mark& mark : *marks) {
        if (mark.number <= since || (!mark.scheme.empty() && mark.scheme != scheme)) continue;
        const Covered::How how = mark.soft ? Covered::soft : Covered::hard;
        if (how > covered.how || (how == covered.how && mark.number < covered.number))
            covered = {how, mark.number};
    }
}

void PurgeLog::see_place(Covered& covered, const KeyPlace& place, std::uint64_t since) const {
    see(covered, &all_, {}, since);
    see(covered, find(urls_, place.url), place.scheme, since);
    for (const auto& [length, count] : lengths_) {
        if (length > place.url.size()) break;
        see(covered, find(prefixes_, place.url.substr(0, length)), place.scheme, since);
    }
}

PurgeLog::Covered PurgeLog::covers(const CacheEntry& entry, const KeyPlace& place,
                                   std::uint64_t since) const {
    const std::lock_guard lock(mutex_);
    Covered covered;
    see_place(covered, place, since);
    if (!tags_.empty())
        entry.each_tag(
            [&](std::string_view tag, std::size_t) { see(covered, find(tags_, tag), {}, since); });
    return covered;
}

bool PurgeLog::may_cover(const KeyPlace& place, std::uint64_t since) const {
    if (since == position()) return false;
    const std::lock_guard lock(mutex_);
    Covered covered;
    see_place(covered, place, since);
    return covered.how != Covered::not_at_all || last_tag_ > since || forgotten_ > since;
}

bool PurgeLog::forgotten(std::uint64_t since) const {
    if (since == position()) return false;
    const std::lock_guard lock(mutex_);
    return forgotten_ > since;
}

void PurgeLog::count(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto rule = rules_.find(number);
    if (rule == rules_.end() || !rule->second.counted) return;
    ++counts_[number];
    forget_counts();
}

void PurgeLog::forget_counts() {
    // Of more purges at a time than that some are told of too few objects.
    while (counts_.size() > limits::purges_told)
        counts_.erase(counts_.begin());
}

std::optional<std::uint64_t> PurgeLog::counted(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    if (const auto rule = rules_.find(number); rule != rules_.end() && !rule->second.swept)
        return std::nullopt;
    const auto found = counts_.find(number);
    return found == counts_.end() ? 0 : found->second;
}

std::optional<PurgeLog::Task> PurgeLog::next_tag() const {
    const std::lock_guard lock(mutex_);
    if (unswept_tags_.empty()) return std::nullopt;
    const auto rule = rules_.find(unswept_tags_.begin()->first);
    return Task{rule->first, rule->second.by, std::string(rule->second.what)};
}

PurgeLog::Pass PurgeLog::next_pass() const {
    const std::lock_guard lock(mutex_);
    if (unswept_others_.empty()) return {};
    Pass pass;
    pass.until = unswept_others_.rbegin()->first;
    pass.chosen_only = std::none_of(unswept_others_.begin(), unswept_others_.end(),
                                    [](const auto& rule) { return rule.second; });
    return pass;
}

void PurgeLog::finish(Rules::iterator rule) {
    rule->second.swept = true;
    unswept_tags_.erase(rule->first);
    unswept_others_.erase(rule->first);
}

void PurgeLog::swept(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    if (const auto rule = rules_.find(number); rule != rules_.end()) finish(rule);
    drop_old();
}

void PurgeLog::swept_until(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    while (!unswept_others_.empty() && unswept_others_.begin()->first <= number)
        finish(rules_.find(unswept_others_.begin()->first));
    drop_old();
}

void PurgeLog::drop_old() {
    const std::uint64_t oldest =
        fills_.empty() ? position_.load(std::memory_order_relaxed) : fills_.begin()->first;
    // What is swept stands in front, but for what waits for another purge's sweep.
    for (unsigned i = 0; i < drops_most && !rules_.empty(); ++i) {
        const auto first = rules_.begin();
        if (first->first > oldest || !first->second.swept) return;
        drop(first);
    }
}

void PurgeLog::drop(Rules::iterator rule) {
    const std::uint64_t number = rule->first;
    const auto is_it = [number](const Mark& mark) { return mark.number == number; };
    if (rule->second.by == Purge::By::all) {
        std::erase_if(all_, is_it);
    } else {
        Table& in = table(rule->second.by);
        const auto marks = in.find(rule->second.what);
        std::erase_if(marks->second, is_it);
        if (marks->second.empty()) {
            const std::size_t length = rule->second.what.size();
            if (rule->second.by == Purge::By::prefix && --lengths_[length] == 0)
                lengths_.erase(length);
            give_back(rule);
            in.erase(marks);
            forgotten_ = std::max(forgotten_, number);
            return;
        }
    }
    forgotten_ = std::max(forgotten_, number);
    give_back(rule);
}

void PurgeLog::drop_some() {
    const std::lock_guard lock(mutex_);
    drop_old();
}

void PurgeLog::fill_began(std::uint64_t position) {
    const std::lock_guard lock(mutex_);
    ++fills_[position];
}

void PurgeLog::fill_ended(std::uint64_t position) {
    const std::lock_guard lock(mutex_);
    const auto found = fills_.find(position);
    if (found == fills_.end()) return;
    if (--found->second == 0) fills_.erase(found);
    if (!rules_.empty()) drop_old();
}

std::size_t PurgeLog::size() const {
    const std::lock_guard lock(mutex_);
    return rules_.size();
}

}  // namespace scrollgate
