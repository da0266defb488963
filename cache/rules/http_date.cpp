// Dates are read as RFC 9110 section 5.6.7 writes them and in no other way; only the case of names
// is free. An Expires in any other form counts as in the past.
#include "cache/rules/http_date.hpp"

#include <array>

#include "core/field.hpp"

namespace scrollgate {
namespace {

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};
constexpr std::int64_t day_seconds = 86'400;

/// Takes pieces off the front; once one is not there, nothing is any more.
class Pieces {
  public:
    explicit Pieces(std::string_view text) noexcept : rest_(text) {}

    void literal(std::string_view text) noexcept {
        if (rest_.size() < text.size() || !equal_no_case(rest_.substr(0, text.size()), text)) {
            good_ = false;
            return;
        }
        rest_.remove_prefix(text.size());
    }
    int number(std::size_t digits) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (i >= rest_.size() || rest_[i] < '0' || rest_[i] > '9') {
                good_ = false;
                return 0;
            }
            value = value * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }
    /// asctime writes " 8".
    int padded_day() noexcept {
        if (rest_.starts_with(' ')) {
            rest_.remove_prefix(1);
            return number(1);
        }
        return number(2);
    }
    /// 1 to 12.
    int month() noexcept {
        for (std::size_t i = 0; i < months.size(); ++i) {
            if (equal_no_case(rest_.substr(0, 3), months[i])) {
                rest_.remove_prefix(3);
                return static_cast<int>(i) + 1;
            }
        }
        good_ = false;
        return 0;
    }
    void time(int (&hms)[3]) noexcept {
        hms[0] = number(2);
        literal(":");
        hms[1] = number(2);
        literal(":");
        hms[2] = number(2);
    }
    [[nodiscard]] bool done() const noexcept { return good_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

struct Moment {
    int year = 0, month = 0, day = 0;
    int time[3] = {};
};

bool is_leap(int year) noexcept {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in(int year, int month) noexcept {
    constexpr std::array<int, 12> usual{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : usual[static_cast<std::size_t>(month) - 1];
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, years from 0.
std::int64_t days_since_1970(int year, int month, int day) noexcept {
    std::int64_t days_before = 0;
    for (int m = 1; m < month; ++m)
        days_before += days_in(year, m);
    const std::int64_t before = std::int64_t{year} - 1;
    const auto leaps = [](std::int64_t y) { return y / 4 - y / 100 + y / 400; };
    return (std::int64_t{year} - 1970) * 365 + leaps(before) - leaps(1969) + days_before + day - 1;
}

std::optional<std::int64_t> seconds_of_moment(const Moment& m) noexcept {
    if (m.year < 1 || m.month < 1 || m.day < 1 || m.day > days_in(m.year, m.month)) {
        return std::nullopt;
    }
    if (m.time[0] > 23 || m.time[1] > 59 || m.time[2] > 60) return std::nullopt;  // 60: leap second
    return days_since_1970(m.year, m.month, m.day) * day_seconds + m.time[0] * 3600 +
           m.time[1] * 60 + m.time[2];
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", behind the comma.
std::optional<std::int64_t> parse_fixdate(std::string_view text) noexcept {
    Pieces pieces(text);
    Moment m;
    pieces.literal(" ");
    m.day = pieces.number(2);
    pieces.literal(" ");
    m.month = pieces.month();
    pieces.literal(" ");
    m.year = pieces.number(4);
    pieces.literal(" ");
    pieces.time(m.time);
    pieces.literal(" GMT");
    return pieces.done() ? seconds_of_moment(m) : std::nullopt;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT", behind the comma.
std::optional<std::int64_t> parse_rfc850(std::string_view text, std::int64_t now) noexcept {
    Pieces pieces(text);
    Moment m;
    pieces.literal(" ");
    m.day = pieces.number(2);
    pieces.literal("-");
    m.month = pieces.month();
    pieces.literal("-");
    const int two_digits = pieces.number(2);
    pieces.literal(" ");
    pieces.time(m.time);
    pieces.literal(" GMT");
    if (!pieces.done()) return std::nullopt;
    constexpr double year_days = 365.2425;
    const int this_year =
        1970 + static_cast<int>(static_cast<double>(now / day_seconds) / year_days);
    // Of the years that end so the last that is not more than 50 years ahead, to the day.
    const std::int64_t ahead = now / day_seconds + static_cast<std::int64_t>(50 * year_days);
    m.year = this_year - this_year % 100 + 100 + two_digits;
    while (days_since_1970(m.year, m.month, m.day) > ahead)
        m.year -= 100;
    return seconds_of_moment(m);
}

/// "Sun Nov  6 08:49:37 1994", behind the day's name.
std::optional<std::int64_t> parse_asctime(std::string_view text) noexcept {
    Pieces pieces(text);
    Moment m;
    pieces.literal(" ");
    m.month = pieces.month();
    pieces.literal(" ");
    m.day = pieces.padded_day();
    pieces.literal(" ");
    pieces.time(m.time);
    pieces.literal(" ");
    m.year = pieces.number(4);
    return pieces.done() ? seconds_of_moment(m) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text, std::int64_t now) noexcept {
    const std::size_t end = text.find_first_of(", ");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(0, end);
    for (const std::string_view day : days) {
        if (text[end] == ',') {
            if (equal_no_case(name, day)) return parse_rfc850(text.substr(end + 1), now);
            if (equal_no_case(name, day.substr(0, 3))) return parse_fixdate(text.substr(end + 1));
        } else if (equal_no_case(name, day.substr(0, 3))) {
            return parse_asctime(text.substr(end));
        }
    }
    return std::nullopt;
}

}  // namespace scrollgate
