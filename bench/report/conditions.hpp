// Conditions under which a run counts as failed: --fail-if 'p99>50ms'.
//
// A condition is MEASURE OPERATOR VALUE. Measures:
//   p50 p90 p99 p999 p9999 max mean   latency from the intended start   a duration
//   rate                              responses per second              a number
//   requests completed unsent         how many                          a whole number
//   errors, or a kind of failure      failed requests                   a number, or % of requests
//   status_200, status_5xx            responses with it                 a number, or % of responses
//   cache_hit … cache_bypass          responses that came so            a number, or % of responses
// Operators: > >= < <=. Blanks around each part are fine.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bench/report/report.hpp"

namespace scrollgate::bench {

struct ParsedCondition;

class Condition {
  public:
    /// Reads a condition; gives it, or one line that says what is wrong and what is known.
    [[nodiscard]] static ParsedCondition parse(std::string_view text);

    /// Whether it came true, so that the run has failed. A latency of a run without a single
    /// response is not known, and what is not known has not passed: then it holds, too.
    [[nodiscard]] bool holds(const Report& report) const;
    /// What was measured, for a line to the user: "p99 is 61.3ms", "errors is 12 (0.12%)".
    [[nodiscard]] std::string measured(const Report& report) const;
    /// As it was given.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    enum class Measure : std::uint8_t { quantile, max, mean, rate, count };
    enum class Operator : std::uint8_t { above, at_least, below, at_most };
    /// Of what a count is a part, for %.
    enum class Whole : std::uint8_t { none, requests, responses };
    enum class Counted : std::uint8_t {
        requests,
        completed,
        unsent,
        errors,
        failure,
        status,
        status_class,
        cache
    };

    [[nodiscard]] bool name_measure(std::string_view name);
    [[nodiscard]] std::string read_limit(std::string_view text);
    [[nodiscard]] Duration latency(const Report& report) const;
    [[nodiscard]] std::uint64_t count(const Report& report) const;
    [[nodiscard]] std::uint64_t whole(const Report& report) const;
    [[nodiscard]] bool is_latency() const noexcept { return measure_ <= Measure::mean; }

    std::string text_, name_;
    Measure measure_ = Measure::rate;
    Operator operator_ = Operator::above;
    Counted counted_ = Counted::requests;
    Whole whole_ = Whole::none;
    double quantile_ = 0;
    unsigned key_ = 0;  ///< which status, class of statuses, failure or cache result
    bool percent_ = false;
    double limit_ = 0;  ///< nanoseconds, percent, or how many
};

struct ParsedCondition {
    std::optional<Condition> condition;
    std::string problem;  ///< empty if there is a condition; else one line without a full stop
};

}  // namespace scrollgate::bench
