#include "health/outlier.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

/// The shortest run of 5xx that the others' error rate would hardly ever make by chance. Of a few
/// answers the rate may be higher than it looks; the doubt is theirs.
double telling_run(const Tally& others, std::uint32_t consecutive) noexcept {
    const double seen = others.error_rate();
    const double doubt = 1.5 * std::sqrt(seen * (1 - seen) / (others.samples() + 1));
    const double rare = std::log(limits::run_by_chance) / std::log(std::min(seen + doubt, 0.999));
    return std::max<double>(consecutive, rare);
}

}  // namespace

std::string_view eject_reason_text(EjectReason reason) noexcept {
    constexpr std::string_view texts[] = {"refused", "unanswered", "server_errors", "success_rate"};
    return texts[static_cast<std::size_t>(reason)];
}

/// A run that had grown before the endpoint came back counts only as it grows further; an answer
/// has ended it, though maybe another one has begun since.
void OutlierDetector::forget_runs(const Evidence& evidence) noexcept {
    if (answered_since(evidence)) refused_seen_ = unanswered_.seen = turned_back_.seen = 0;
    if (evidence.answers != answers_) errors_seen_ = 0;
}

void OutlierDetector::Run::look(std::uint32_t length, TimePoint now) noexcept {
    if (length <= seen) {
        since.reset();
    } else if (!since) {
        since = now;
        first = length;
    }
}

bool OutlierDetector::Run::others_answer(const PeerEvidence& peers) const noexcept {
    return since && peers.last_answer > since->time_since_epoch().count();
}

/// Whether the run of 5xx is its own: what the others gave since it began is the measure, because
/// an error that begins everywhere at once has not reached their averages yet.
bool OutlierDetector::failing(const Evidence& evidence, const Tally& fresh_of_peers,
                              std::uint32_t consecutive) noexcept {
    // An answer between two looks makes it another run.
    const bool ended = evidence.answers != std::exchange(answers_before_, evidence.answers);
    if (ended || evidence.error_run <= errors_seen_) meanwhile_.reset();
    if (evidence.error_run <= errors_seen_) return false;
    // What the others gave until this look may be from before the run began.
    if (meanwhile_) {
        *meanwhile_ += fresh_of_peers;
    } else {
        meanwhile_.emplace();
    }
    const std::uint32_t run = evidence.error_run - errors_seen_;
    if (run < consecutive) return false;
    constexpr double few = 3;
    if (meanwhile_->samples() >= few) {
        // Who fails like this is no measure for a run: requests of one kind come in bunches.
        if (meanwhile_->error_rate() > limits::errors_shared) return false;
        if (run >= telling_run(*meanwhile_, consecutive)) return true;
    }
    waits_ = true;
    return false;
}

std::optional<Suspicion> OutlierDetector::suspect(const Evidence& evidence, const Tally& own,
                                                  const PeerEvidence& peers,
                                                  const config::Outlier& rules, TimePoint now) {
    waits_ = false;
    if (ejected_ || !rules.enabled) return std::nullopt;
    forget_runs(evidence);
    if (evidence.refused_run >= limits::refused_at_once && evidence.refused_run > refused_seen_) {
        return Suspicion{EjectReason::refused,
                         fmt::format("refused {} connections in a row", evidence.refused_run)};
    }
    unanswered_.look(evidence.unanswered_run, now);
    turned_back_.look(evidence.turned_back_run, now);
    if (unanswered_.since && evidence.unanswered_run >= limits::unanswered_at_once) {
        if (unanswered_.others_answer(peers)) {
            return Suspicion{EjectReason::unanswered,
                             fmt::format("{} attempts in a row without an answer, while others "
                                         "answer",
                                         evidence.unanswered_run)};
        }
        waits_ = true;
    }
    if (turned_back_.since && evidence.turned_back_run >= limits::turned_back_in_a_row) {
        if (turned_back_.goes_on(evidence.turned_back_run)) {
            return Suspicion{EjectReason::refused, fmt::format("took none of {} requests in a row",
                                                               evidence.turned_back_run)};
        }
        waits_ = true;
    }
    if (failing(evidence, peers.fresh, rules.consecutive)) {
        return Suspicion{EjectReason::server_errors,
                         fmt::format("{} answers of 5xx in a row, which the others do not give",
                                     evidence.error_run)};
    }
    const bool enough = own.samples() >= limits::success_samples &&
                        peers.best_samples >= limits::success_samples && own.bad >= 1;
    const double noise = 4 * deviation(own, peers.best_success, peers.best_samples);
    // The more the others fail themselves, the less they are a measure.
    const double least = limits::success_ejects * std::pow(peers.best_success, 3);
    if (enough && own.success() < least && peers.best_success - own.success() > noise) {
        return Suspicion{EjectReason::success_rate,
                         fmt::format("{:.0f} % of its attempts succeed, {:.0f} % of the others'",
                                     100 * own.success(), 100 * peers.best_success)};
    }
    return std::nullopt;
}

Duration OutlierDetector::eject(EjectReason reason, const Evidence& evidence, Duration base,
                                TimePoint now) {
    const bool still_dead =
        reason == EjectReason::refused && returned_ && !answered_since(evidence);
    if (!still_dead || times_ == 0) ++times_;
    // Who is silent may be back at any time; but each try costs a request that cannot be repeated.
    const bool silent = reason == EjectReason::unanswered;
    const Duration longest = silent ? limits::silent_ejection_most * base
                                    : std::max<Duration>(limits::outlier_ejection_max, base);
    const Duration span = times_ > longest / base ? longest : base * times_;
    ejected_ = true;
    waits_ = false;
    reason_ = reason;
    since_ = now;
    until_ = now + span;
    held_until_ = std::min(until_, now + base * (times_ - 1));
    heads_ = evidence.heads();
    unanswered_.since.reset();
    turned_back_.since.reset();
    meanwhile_.reset();
    return span;
}

bool OutlierDetector::returns(const Evidence& evidence, bool revived, TimePoint now) {
    if (!ejected_) return false;
    const bool answers = reason_ == EjectReason::refused
                             ? evidence.refused_run == 0 && answered_since(evidence)
                             : reason_ == EjectReason::unanswered && evidence.unanswered_run == 0 &&
                                   answered_since(evidence);
    const bool nobody_was_there =
        reason_ == EjectReason::refused || reason_ == EjectReason::unanswered;
    const bool up_again = revived && nobody_was_there && now >= held_until_;
    if (now < until_ && !answers && !up_again) return false;
    ejected_ = false;
    returned_ = true;
    since_ = now;
    heads_ = evidence.heads();
    answers_ = evidence.answers;
    refused_seen_ = evidence.refused_run;
    unanswered_.seen = evidence.unanswered_run;
    turned_back_.seen = evidence.turned_back_run;
    errors_seen_ = evidence.error_run;
    return true;
}

void OutlierDetector::forgive(Duration base, TimePoint now) noexcept {
    if (ejected_ || times_ == 0 || now - since_ < 4 * base) return;
    --times_;
    since_ = now;
}

}  // namespace scrollgate
