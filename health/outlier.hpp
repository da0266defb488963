// OutlierDetector: what live traffic says against one endpoint, and how long it is kept out for it.
//
// As Envoy's outlier detection in shape; other in what it asks first: do the others share it? An
// error that everybody gives ejects nobody. Whether a suspicion may be followed (max_ejected) is
// the pool's to say: health/verdicts. A value; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "config/model.hpp"
#include "core/clock.hpp"
#include "health/evidence.hpp"
#include "health/success.hpp"

namespace scrollgate {

enum class EjectReason : std::uint8_t { refused, unanswered, server_errors, success_rate };
/// By EjectReason.
using EjectionCounts = std::array<std::uint64_t, 4>;

/// "refused", … for metrics.
[[nodiscard]] std::string_view eject_reason_text(EjectReason reason) noexcept;

/// What the other endpoints of the pool and of its routes' other pools show.
struct PeerEvidence {
    std::int64_t last_answer = 0;  ///< the newest of all, Clock's nanoseconds
    Tally fresh;                   ///< since the last look: FreshAnswers::measure() of all
    double best_success = 1;       ///< the best of any pool's others
    double best_samples = 0;       ///< attempts behind it
};

struct Suspicion {
    EjectReason reason;
    std::string why;  ///< for log and status
    /// Not bounded by max_ejected: nobody is there.
    [[nodiscard]] bool unbounded() const noexcept {
        return reason == EjectReason::refused || reason == EjectReason::unanswered;
    }
};

class OutlierDetector {
  public:
    /// What speaks against the endpoint now, if it is not ejected. Refusal and silence are judged
    /// by runs; requests that are turned back by a run that goes on, because a server may do that
    /// to all that are under way at a time; 5xx by a run that chance would hardly make of the
    /// others' rate; else the rate itself. waits() tells whether a word of the others is missing.
    [[nodiscard]] std::optional<Suspicion> suspect(const Evidence& evidence, const Tally& own,
                                                   const PeerEvidence& peers,
                                                   const config::Outlier& rules, TimePoint now);
    /// Silent or failing, and the others have not been heard since: look again soon.
    [[nodiscard]] bool waits() const noexcept { return waits_; }

    /// Out for base × times, at most limits::outlier_ejection_max; returns how long. One that
    /// still refuses since it came back costs nobody anything: its time does not grow. Silence ends
    /// at six times `base`.
    Duration eject(EjectReason reason, const Evidence& evidence, Duration base, TimePoint now);
    /// Whether an ejected endpoint comes back now: its time is over, or nobody was there and it has
    /// answered (requests that were under way, panic) or is `revived`: its checks have failed and
    /// pass again. Checks that were green all along prove nothing, and passing ones little of what
    /// dies again and again: it stays out for base × (times - 1) all the same.
    [[nodiscard]] bool returns(const Evidence& evidence, bool revived, TimePoint now);
    /// Once per look: every four base times in service forgive one ejection.
    void forgive(Duration base, TimePoint now) noexcept;

    [[nodiscard]] bool ejected() const noexcept { return ejected_; }
    [[nodiscard]] TimePoint until() const noexcept { return until_; }
    [[nodiscard]] EjectReason reason() const noexcept { return reason_; }
    /// Ejections that count for the next one's length.
    [[nodiscard]] std::uint32_t times() const noexcept { return times_; }
    /// It has answered since it came back.
    [[nodiscard]] bool answered_since(const Evidence& evidence) const noexcept {
        return evidence.heads() != heads_;
    }

  private:
    /// A run that tells something only with time, or beside what the others do.
    struct Run {
        std::uint32_t seen = 0;          ///< how long it was when the endpoint came back
        std::optional<TimePoint> since;  ///< when it was first seen to have grown…
        std::uint32_t first = 0;         ///< …to this

        void look(std::uint32_t length, TimePoint now) noexcept;
        [[nodiscard]] bool others_answer(const PeerEvidence& peers) const noexcept;
        /// It was longer at a later look.
        [[nodiscard]] bool goes_on(std::uint32_t length) const noexcept {
            return since && length > first;
        }
    };
    void forget_runs(const Evidence& evidence) noexcept;
    [[nodiscard]] bool failing(const Evidence& evidence, const Tally& fresh,
                               std::uint32_t consecutive) noexcept;

    bool ejected_ = false, waits_ = false, returned_ = false;
    EjectReason reason_ = EjectReason::refused;
    TimePoint until_{}, since_{};
    TimePoint held_until_{};  ///< no passing check shortens an ejection to less
    std::uint32_t times_ = 0;
    std::uint64_t heads_ = 0;                           ///< at the last ejection or return
    std::uint64_t answers_ = 0;                         ///< at the last return
    std::uint32_t refused_seen_ = 0, errors_seen_ = 0;  ///< runs, likewise
    Run unanswered_, turned_back_;
    std::uint64_t answers_before_ = 0;  ///< at the last look
    std::optional<Tally> meanwhile_;    ///< of the others, while the run of 5xx lasts
};

}  // namespace scrollgate
