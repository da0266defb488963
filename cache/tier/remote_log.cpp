#include "cache/tier/remote_log.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cache/tier/names.hpp"
#include "cache/tier/once.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"

namespace scrollgate::tier {
namespace {

constexpr Duration tick = std::chrono::milliseconds(500);

std::string text_of(Duration span) {
    return fmt::format("{}", std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
}

}  // namespace

RemoteLog::RemoteLog(Around around)
    : around_(std::move(around)),
      purges_(name_of_purges(around_.prefix)),
      nodes_(name_of_nodes(around_.prefix)) {}

void RemoteLog::start() {
    around_.loop.arm(*this, around_.loop.now());
}

void RemoteLog::stop() noexcept {
    stopped_ = true;
    disarm();
}

void RemoteLog::expired() noexcept {
    if (!reading_ && around_.reader.state() == redis::State::up) {
        reading_ = true;
        detach(follow());
    }
    if (!speaking_ && !unsaid_.empty() && around_.writer.state() == redis::State::up) {
        speaking_ = true;
        detach(speak());
    }
    around_.loop.arm(*this, around_.loop.now() + tick);
}

void RemoteLog::say(const LogRecord& record) {
    if (unsaid_.size() >= limits::tier_unsaid) {
        Counts::add(around_.counts.unsaid, unsaid_.size());
        unsaid_.clear();
        LogRecord all = of_everything(0);
        all.token = make_token(around_.loop.rng().next());
        unsaid_.push_back(std::move(all));
    }
    unsaid_.push_back(record);
    around_.state.waiting.store(unsaid_.size(), std::memory_order_relaxed);
    if (speaking_ || stopped_ || around_.writer.state() != redis::State::up) return;
    speaking_ = true;
    detach(speak());
}

Task<void> RemoteLog::speak() {
    while (!stopped_ && !unsaid_.empty()) {
        const std::string said = unsaid_.front().token;
        redis::Command once = once_command(around_.prefix, unsaid_.front());
        const TimePoint until = around_.loop.now() + limits::tier_ask;
        const Answer answer = co_await around_.writer.ask(std::move(once), until);
        note(answer, writing_fails_, "written");
        if (stopped_ || !answer || answer->is_error()) break;
        Counts::add(around_.state.said);
        if (!unsaid_.empty() && unsaid_.front().token == said) unsaid_.pop_front();
        around_.state.waiting.store(unsaid_.size(), std::memory_order_relaxed);
    }
    speaking_ = false;
}

/// What the server says instead of an answer, once until it is over.
void RemoteLog::note(const Answer& answer, bool& fails, std::string_view doing) const {
    if (!answer) return;  // the connection's matter, which the client tells of
    const bool failed = std::exchange(fails, answer->is_error());
    around_.state.refuses.store(writing_fails_ || reading_fails_, std::memory_order_relaxed);
    if (fails && !failed)
        log::warn("redis: another cloud's log of purges, {} at {}, cannot be {}: {}", purges_,
                  around_.shown, doing, redis::printable(answer->text));
}

// ---- following

Task<void> RemoteLog::follow() {
    bool well = co_await find_place();
    if (well && !stopped_) co_await look_for_nodes();
    // Whatever does not wait for news as it is asked to is asked again by the next look.
    for (in_vain_ = false; well && !stopped_ && !in_vain_;)
        well = co_await read_on();
    reading_ = false;
}

Task<RemoteLog::Answer> RemoteLog::first(const char* command, std::string_view stream,
                                         const char* from, const char* to) {
    redis::Command read =
        redis::Command::master({command, stream, from, to, "COUNT", "1"}).blocking();
    return around_.reader.ask(std::move(read), around_.loop.now() + limits::tier_ask);
}

/// At first a while back: what was purged there lately may have missed all of us.
Task<bool> RemoteLog::find_place() {
    const bool begins = place_ == 0;
    Task<Answer> asked =
        begins ? first("XREVRANGE", purges_, "+", "-") : first("XRANGE", purges_, "-", "+");
    const Answer answer = co_await std::move(asked);
    note(answer, reading_fails_, "read");
    if (stopped_ || !answer || !answer->is_array()) co_return false;
    if (answer->elements.empty()) co_return true;
    LogRecord found;
    static_cast<void>(read_purge(answer->elements.front(), found));
    const Position there = found.position;
    if (there == 0) co_return false;
    if (begins) {
        const auto back = std::chrono::duration_cast<std::chrono::milliseconds>(limits::tier_said);
        const std::int64_t from = std::max<std::int64_t>(milliseconds_of(there) - back.count(), 0);
        place_ = position_of(fmt::format("{}-0", from)).value_or(0);
    } else if (there > place_ && (!found.reset || was_away_too_long())) {
        make_up(there);
    }
    co_return true;
}

/// A fleet with another prefix or database follows another log, and nothing else would tell.
Task<void> RemoteLog::look_for_nodes() {
    const Answer answer = co_await first("XREVRANGE", nodes_, "+", "-");
    note(answer, reading_fails_, "read");
    if (stopped_ || !answer || !answer->is_array()) co_return;
    const bool followed = !answer->elements.empty();
    if (!followed && around_.state.followed.load(std::memory_order_relaxed))
        log::warn(
            "redis: no node follows another cloud's {} so far: nodes there need the same prefix, "
            "and the database of its URL",
            purges_);
    around_.state.followed.store(followed, std::memory_order_relaxed);
}

/// Longer than its nodes say again what was lost.
bool RemoteLog::was_away_too_long() const {
    const auto read_at = around_.state.read_at.load(std::memory_order_relaxed);
    return around_.loop.now().time_since_epoch().count() - read_at >
           Duration(limits::tier_said).count();
}

/// Records up to `until` are gone, and nobody knows what they were.
void RemoteLog::make_up(Position until) {
    log::warn("redis: another cloud's {} has lost what was not read yet; everything is purged",
              purges_);
    LogRecord all = of_everything(0);
    all.token = fmt::format("cut-{}", id_of(until));
    around_.heard(all);
}

Task<bool> RemoteLog::read_on() {
    const std::string from = id_of(place_);
    const std::string most = fmt::format("{}", limits::tier_batch);
    const std::string wait = text_of(limits::tier_block);
    redis::Command read =
        redis::Command::master({"XREAD", "COUNT", most, "BLOCK", wait, "STREAMS", purges_, from}, 6)
            .blocking();
    const TimePoint asked = around_.loop.now();
    const TimePoint until = asked + limits::tier_block + limits::tier_ask;
    const Position was = place_;
    const Answer answer = co_await around_.reader.ask(std::move(read), until);
    note(answer, reading_fails_, "read");
    if (stopped_ || !answer || answer->is_error()) co_return false;
    const auto* const records = records_of(*answer, purges_);
    if (records != nullptr) {
        for (const redis::Reply& one : *records)
            if (!hear(one)) co_return false;
    }
    // A full batch: there is more.
    if (records == nullptr || records->size() < limits::tier_batch)
        around_.state.read_at.store(around_.loop.now().time_since_epoch().count(),
                                    std::memory_order_relaxed);
    if (!around_.state.followed.load(std::memory_order_relaxed)) {
        co_await look_for_nodes();
        if (stopped_) co_return false;
    }
    in_vain_ = place_ == was && around_.loop.now() - asked < limits::tier_block / 2;
    co_return true;
}

/// False: it is no record, or not in order; where the log goes on is not known.
bool RemoteLog::hear(const redis::Reply& reply) {
    LogRecord record;
    const Unreadable why = read_purge(reply, record);
    if (record.position <= place_) return false;
    if (record.after > place_) make_up(record.after);
    place_ = record.position;
    around_.state.position.store(place_, std::memory_order_relaxed);
    around_.counts.read(why, record.checked);
    if (record.reset) return true;  // of values that are not ours
    // Nobody else can know its token; all that read it here come to the same one.
    if (record.token.empty()) record.token = fmt::format("at-{}", id_of(record.position));
    if (why != Unreadable::no)
        log::warn(
            "redis: record {} of another cloud's {} cannot be read ({}): everything is purged",
            id_of(record.position), purges_, token(why));
    Counts::add(around_.state.heard);
    around_.heard(record);
    return true;
}

}  // namespace scrollgate::tier
