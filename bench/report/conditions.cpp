#include "bench/report/conditions.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/plain_text.hpp"
#include "core/text.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::string_view fixed_names[] = {"max",       "mean",   "rate",  "requests",
                                            "completed", "unsent", "errors"};

/// Every measure that has a name of its own.
std::vector<std::string> known_measures() {
    std::vector<std::string> names;
    for (const auto& [name, value] : shown_quantiles)
        names.emplace_back(name);
    names.insert(names.end(), std::begin(fixed_names), std::end(fixed_names));
    for (const char* status : {"status_200", "status_2xx", "status_4xx", "status_5xx"})
        names.emplace_back(status);
    for (std::size_t i = 0; i < cache_results; ++i)
        names.push_back(fmt::format("cache_{}", name_of(static_cast<CacheResult>(i))));
    for (std::size_t i = 0; i < failures; ++i)
        names.emplace_back(name_of(static_cast<Failure>(i)));
    return names;
}

/// Letters that must be put in, taken out or replaced to make `b` of `a` (Levenshtein, 1965).
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

std::string did_you_mean(std::string_view word) {
    if (word.size() > 64) return {};
    std::string plain;  // P99.9, cache-hit
    for (const char c : word) {
        if (c == '.') continue;
        plain += c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    std::string best;
    std::size_t fewest = std::max<std::size_t>(1, plain.size() / 3) + 1;
    for (const std::string& known : known_measures()) {
        const std::size_t needed = edits(plain, known);
        if (needed < fewest) {
            fewest = needed;
            best = known;
        }
    }
    return best.empty() ? std::string() : fmt::format(" (did you mean {}?)", best);
}

/// A number that is not negative, without exponent; whole unless `fraction`.
std::optional<double> number_in(std::string_view text, bool fraction) {
    if (text.empty() ||
        text.find_first_not_of(fraction ? "0123456789." : "0123456789") != text.npos)
        return std::nullopt;
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
    if (failure != std::errc{} || stop != end) return std::nullopt;
    return value;
}

/// "404" or "5xx", after "status_".
std::optional<unsigned> status_in(std::string_view text, bool& whole_class) {
    if (text.size() != 3 || text[0] < '1' || text[0] > '9') return std::nullopt;
    const auto digit = static_cast<unsigned>(text[0] - '0');
    whole_class = text.substr(1) == "xx";
    if (whole_class) return digit <= 5 ? std::optional(digit) : std::nullopt;
    const auto number = number_in(text, false);
    return number ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

std::string known_text() {
    return "known are p50 p90 p99 p999 p9999 max mean rate requests completed unsent errors, "
           "status_200 or status_5xx, cache_hit and the like, and failures such as timeout";
}

}  // namespace

ParsedCondition Condition::parse(std::string_view text) {
    const std::string shown = printable(text);
    const auto refuse = [&](const std::string& why) {
        return ParsedCondition{std::nullopt, fmt::format("'{}': {}", shown, why)};
    };
    const std::size_t at = text.find_first_of("<>=!");
    if (at == text.npos)
        return refuse("write MEASURE OPERATOR VALUE, for example p99>50ms, errors>1% or rate<1000");
    const std::size_t after = std::min(text.find_first_not_of("<>=!", at), text.size());
    const std::string_view sign = text.substr(at, after - at);
    Condition condition;
    condition.text_ = shown;
    if (sign == ">")
        condition.operator_ = Operator::above;
    else if (sign == ">=")
        condition.operator_ = Operator::at_least;
    else if (sign == "<")
        condition.operator_ = Operator::below;
    else if (sign == "<=")
        condition.operator_ = Operator::at_most;
    else
        return refuse(fmt::format("unknown operator {}; known are > >= < <=", sign));
    const std::string_view name = trim(text.substr(0, at));
    if (!condition.name_measure(name))
        return refuse(fmt::format("unknown measure '{}'{}; {}", printable(name), did_you_mean(name),
                                  known_text()));
    std::string problem = condition.read_limit(trim(text.substr(after)));
    if (!problem.empty()) return refuse(problem);
    return {std::move(condition), {}};
}

bool Condition::name_measure(std::string_view name) {
    name_ = std::string(name);
    for (const auto& [known, value] : shown_quantiles) {
        if (name != known) continue;
        measure_ = Measure::quantile;
        quantile_ = value;
        return true;
    }
    measure_ = name == "max" ? Measure::max : name == "mean" ? Measure::mean : Measure::rate;
    if (measure_ != Measure::rate || name == "rate") return true;
    measure_ = Measure::count;
    counted_ = name == "requests"    ? Counted::requests
               : name == "completed" ? Counted::completed
               : name == "unsent"    ? Counted::unsent
                                     : Counted::errors;
    if (counted_ != Counted::errors) return true;
    whole_ = Whole::requests;
    if (name == "errors") return true;
    counted_ = Counted::failure;
    for (key_ = 0; key_ < failures; ++key_)
        if (name == name_of(static_cast<Failure>(key_))) return true;
    whole_ = Whole::responses;
    if (name.starts_with("status_")) {
        bool whole_class = false;
        const auto status = status_in(name.substr(7), whole_class);
        counted_ = whole_class ? Counted::status_class : Counted::status;
        key_ = status.value_or(0);
        return status.has_value();
    }
    if (!name.starts_with("cache_")) return false;
    counted_ = Counted::cache;
    for (key_ = 0; key_ < cache_results; ++key_)
        if (name.substr(6) == name_of(static_cast<CacheResult>(key_))) return true;
    return false;
}

// What is wrong with the value, or nothing.
std::string Condition::read_limit(std::string_view text) {
    const std::string shown = printable(text);
    if (text.empty()) return fmt::format("a value is missing after {}", name_);
    if (is_latency()) {
        const auto duration = parse_duration(text);
        if (!duration) return fmt::format("{}: {}", name_, not_a_duration(shown));
        limit_ = static_cast<double>(duration->count());
        return {};
    }
    percent_ = text.ends_with('%');
    if (percent_ && whole_ == Whole::none)
        return fmt::format("{} is not a share; write a number, not '{}'", name_, shown);
    if (percent_) text = trim(text.substr(0, text.size() - 1));
    if (measure_ == Measure::rate && text.ends_with("/s")) text.remove_suffix(2);
    const auto number = number_in(text, percent_ || measure_ == Measure::rate);
    if (!number && measure_ == Measure::rate)
        return fmt::format("'{}' is not a rate; write requests per second, such as 1000", shown);
    if (!number && whole_ == Whole::none) return fmt::format("'{}' is not a whole number", shown);
    if (!number || (percent_ && *number > 100))
        return fmt::format("'{}' is neither a whole number nor a share from 0% to 100%", shown);
    limit_ = *number;
    return {};
}

Duration Condition::latency(const Report& report) const {
    const Histogram& latency = report.total.latency;
    if (measure_ == Measure::max) return latency.max();
    if (measure_ == Measure::mean) return latency.mean();
    return latency.at(quantile_);
}

std::uint64_t Condition::count(const Report& report) const {
    const Tally& total = report.total;
    std::uint64_t sum = 0;
    switch (counted_) {
        case Counted::requests:
            return total.requests;
        case Counted::completed:
            return total.completed();
        case Counted::unsent:
            return total.unsent;
        case Counted::errors:
            return total.failed();
        case Counted::failure:
            return total.by_failure[key_];
        case Counted::status:
        case Counted::status_class:
            for (const auto& [status, histogram] : total.by_status) {
                const unsigned key = counted_ == Counted::status ? status : status / 100U;
                if (status != 0 && key == key_) sum += histogram.count();
            }
            return sum;
        case Counted::cache:
            for (const auto& [result, histogram] : total.by_cache)
                if (static_cast<unsigned>(result) == key_) sum += histogram.count();
            return sum;
    }
    return sum;
}

std::uint64_t Condition::whole(const Report& report) const {
    return whole_ == Whole::requests ? report.total.requests : report.total.completed();
}

bool Condition::holds(const Report& report) const {
    double left = 0, right = limit_;
    if (is_latency()) {
        if (report.total.completed() == 0) return true;
        left = static_cast<double>(latency(report).count());
    } else if (measure_ == Measure::rate) {
        left = report.achieved_rate();
    } else {
        left = static_cast<double>(count(report));
        if (percent_) {  // both sides times the whole: exact, and 0% of nothing
            left *= 100;
            right *= static_cast<double>(whole(report));
            if (whole(report) == 0) right = limit_;
        }
    }
    switch (operator_) {
        case Operator::above:
            return left > right;
        case Operator::at_least:
            return left >= right;
        case Operator::below:
            return left < right;
        case Operator::at_most:
            return left <= right;
    }
    return true;
}

std::string Condition::measured(const Report& report) const {
    if (is_latency()) {
        if (report.total.completed() == 0) return name_ + " is not known: no response came";
        return fmt::format("{} is {}", name_, duration_text(latency(report)));
    }
    if (measure_ == Measure::rate)
        return fmt::format("{} is {}", name_, rate_text(report.achieved_rate()));
    const std::string number = count_text(count(report));
    if (whole_ == Whole::none) return fmt::format("{} is {}", name_, number);
    return fmt::format("{} is {} ({})", name_, number, share_text(count(report), whole(report)));
}

}  // namespace scrollgate::bench
