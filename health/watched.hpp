// What health remembers about each endpoint and pool between two looks. Plain data of Verdicts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balancer/endpoint.hpp"
#include "health/availability.hpp"
#include "health/check_state.hpp"
#include "health/evidence.hpp"
#include "health/latency_trend.hpp"
#include "health/outlier.hpp"
#include "health/ramp.hpp"
#include "health/scaler.hpp"
#include "health/success.hpp"

namespace scrollgate {

/// What was answered since the look before. Who is in a run of 5xx is counted apart: while another
/// one answers, it is no measure for whether a third one's run is its own.
struct FreshAnswers {
    Tally well, sick;
    int answering = 0;  ///< endpoints without such a run, that have answered of late

    [[nodiscard]] Tally measure() const noexcept { return answering > 0 ? well : well + sick; }

    FreshAnswers& operator+=(const FreshAnswers& other) noexcept {
        well += other.well;
        sick += other.sick;
        answering += other.answering;
        return *this;
    }
    friend FreshAnswers operator-(const FreshAnswers& a, const FreshAnswers& b) noexcept {
        return {a.well - b.well, a.sick - b.sick, a.answering - b.answering};
    }
};

struct WatchedEndpoint {
    explicit WatchedEndpoint(std::shared_ptr<const Endpoint> of)
        : endpoint(std::move(of)),
          before(Evidence::of(*endpoint->state)),
          heads(endpoint->state->heads.log_sum()),
          requests(endpoint->state->requests.load(std::memory_order_relaxed)) {}

    [[nodiscard]] EndpointState& state() const noexcept { return *endpoint->state; }
    /// They say that it would not serve; never without checks.
    [[nodiscard]] bool checks_fail() const noexcept { return check && !check->healthy(); }
    [[nodiscard]] Standing standing() const noexcept {
        return state().standing.load(std::memory_order_relaxed);
    }

    std::shared_ptr<const Endpoint> endpoint;
    FreshAnswers fresh;           ///< of the present look
    Evidence before;              ///< at the last look
    LatencyWindow::LogSum heads;  ///< likewise
    std::uint64_t requests;       ///< likewise
    SuccessRate success;
    LatencyTrend latency;
    OutlierDetector outlier;
    Ramp ramp;
    std::optional<CheckState> check;  ///< nothing: no check is configured
    std::string check_why, eject_why;
    Availability availability;
    bool in_service = true;  ///< scaled in
    bool revived = false;    ///< its checks have failed and pass again, since the last ejection
    bool announced_low = false;
    std::string why = "as configured";
};

struct WatchedPool {
    explicit WatchedPool(const config::Pool& of) : config(of) {}

    struct Dependency {
        config::Dependency config;
        CheckState check;
        std::string why;
    };

    struct Departed {
        std::unique_ptr<WatchedEndpoint> endpoint;
        TimePoint since;
    };

    config::Pool config;
    std::shared_ptr<PoolState> state;  ///< null while the pool has no address
    std::vector<std::unique_ptr<WatchedEndpoint>> endpoints;            ///< active ones first
    std::unordered_map<std::string_view, WatchedEndpoint*> by_address;  ///< by Endpoint::text
    /// Those that left and may come back, as where DNS answers with some of many addresses; the
    /// oldest first, limits::departed_most and limits::departed_kept at most.
    std::vector<Departed> departed;
    std::vector<Dependency> depends_on;
    Scaler scaler;
    Availability availability;
    EjectionCounts ejections{};
    /// By route: the other pools of it.
    std::vector<std::vector<WatchedPool*>> routes;
    std::vector<WatchedPool*> related;  ///< all of these, once each

    // -- of the present look
    Tally tally;         ///< of its endpoints
    FreshAnswers fresh;  ///< likewise
    /// The endpoint that does best of those with enough attempts, and the next; null: nobody.
    const WatchedEndpoint* best = nullptr;
    const WatchedEndpoint* second_best = nullptr;
    Tally promise;  ///< filled up, of the best that are well and have hardly been asked; or empty
    std::int64_t newest_answer = 0, second_answer = 0;  ///< of two endpoints
    double slower = 1;     ///< median against what is usual; 0: unknown, and not likely to be good
    double median_us = 0;  ///< of latency; 0: unknown
    bool well = false;     ///< others may rely on it
    double rate = 0;       ///< attempts per second, smoothed

    /// The endpoint of that address, or nullptr.
    [[nodiscard]] WatchedEndpoint* find(std::string_view address) const noexcept {
        const auto found = by_address.find(address);
        return found != by_address.end() ? found->second : nullptr;
    }
    /// Everything that is configured has an address.
    [[nodiscard]] bool resolved() const;
    [[nodiscard]] bool dependencies_up() const noexcept {
        for (const Dependency& one : depends_on) {
            if (!one.check.healthy()) return false;
        }
        return true;
    }
};

}  // namespace scrollgate
