#include "bench/plan/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <optional>
#include <sstream>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "bench/plan/url.hpp"
#include "core/http1/bytes.hpp"
#include "core/limits.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::size_t largest_file = 256 * limits::MiB;
constexpr std::size_t most_methods = 64;

/// Calls take(line, number) for each line.
template <class Take>
void for_each_line(std::string_view text, Take&& take) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (line.ends_with('\r')) line.remove_suffix(1);
        take(line, number);
    }
}

struct Row {
    Duration time{};  ///< since the epoch
    std::string method, target;
};

/// "2026-11-24T04:15:48.123Z", "24/Nov/2026:04:15:48 +0000": seconds by `format`, then a fraction
/// and an offset if there are any.
std::optional<Duration> time_from(const std::string& text, const char* format) {
    std::istringstream in(text);
    std::tm parts{};
    in >> std::get_time(&parts, format);
    constexpr int first_year = 1970, last_year = 2200;  // nanoseconds reach a little further
    const int year = parts.tm_year + 1900;
    if (in.fail() || year < first_year || year > last_year) return {};
    Duration time = std::chrono::seconds(::timegm(&parts));
    if (in.peek() == '.') {
        double fraction = 0;
        in >> fraction;
        if (!(fraction >= 0 && fraction < 1)) return {};
        time += Duration(static_cast<Duration::rep>(fraction * 1e9));
    }
    char sign = 0;
    int offset = 0;
    if (in >> sign && (sign == '+' || sign == '-') && in >> offset) {
        const auto minutes = std::chrono::minutes(offset / 100 * 60 + offset % 100);
        time += sign == '+' ? -Duration(minutes) : Duration(minutes);
    }
    return time;
}

std::optional<Row> row_from_json(std::string_view line) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse({line.data(), line.size()}, error);
    if (error || !parsed.is_object()) return {};
    const auto text = [&](const char* key) -> std::string {
        const boost::json::value* found = parsed.get_object().if_contains(key);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
    };
    const auto time = time_from(text("time"), "%Y-%m-%dT%H:%M:%S");
    if (!time) return {};
    return Row{*time, text("method"), text("path")};
}

std::optional<Row> row_from_combined(std::string_view line) {
    const std::size_t open = line.find('['), close = line.find("] \"", open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const std::string when(line.substr(open + 1, close - open - 1));
    const auto time = time_from(when, "%d/%b/%Y:%H:%M:%S");
    std::string_view request = line.substr(close + 3);
    request = request.substr(0, request.find('"'));
    const std::size_t first = request.find(' '), last = request.rfind(' ');
    if (!time || first == last) return {};
    return Row{*time, std::string(request.substr(0, first)),
               std::string(request.substr(first + 1, last - first - 1))};
}

/// What can be sent again as it is.
bool usable(const Row& row) {
    const auto visible = [](char c) { return c > ' ' && c < 0x7f; };
    return row.target.starts_with('/') && row.method != "CONNECT" && http1::is_token(row.method) &&
           std::all_of(row.target.begin(), row.target.end(), visible);
}

}  // namespace

std::string read_file(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    const auto cannot = [&] {
        return BadInput(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
    };
    if (!in) throw cannot();
    std::string content;
    char block[64 * 1024];
    while (in.read(block, sizeof block), in.gcount() > 0) {
        content.append(block, static_cast<std::size_t>(in.gcount()));
        if (content.size() > largest_file)
            throw BadInput(fmt::format("{} is larger than 256 MiB", name));
    }
    if (in.bad()) throw cannot();
    return content;
}

std::vector<std::string> read_targets(const std::string& name, const Origin& origin) {
    std::vector<std::string> targets;
    for_each_line(read_file(name), [&](std::string_view line, std::size_t number) {
        if (line.empty() || line.starts_with('#')) return;
        try {
            if (line.starts_with('/')) {
                check_target(line);
                targets.emplace_back(line);
                return;
            }
            TargetUrl url = parse_url(line);
            if (url.origin != origin)
                throw BadInput(
                    fmt::format("{} is not of {}; a run loads one origin", line, origin.authority));
            targets.push_back(std::move(url.target));
        } catch (const BadInput& error) {
            throw BadInput(fmt::format("{}:{}: {}", name, number, error.what()));
        }
    });
    if (targets.empty()) throw BadInput(fmt::format("{} holds no URL", name));
    return targets;
}

ReplayLog read_replay(const std::string& name) {
    ReplayLog log;
    const std::string content = read_file(name);
    for_each_line(content, [&](std::string_view line, std::size_t) {
        if (line.empty()) return;
        const std::optional<Row> row =
            line.starts_with('{') ? row_from_json(line) : row_from_combined(line);
        if (!row || !usable(*row)) {
            ++log.skipped;
            return;
        }
        auto method = std::find(log.methods.begin(), log.methods.end(), row->method);
        if (method == log.methods.end()) {
            if (log.methods.size() == most_methods) {
                ++log.skipped;
                return;
            }
            method = log.methods.insert(method, row->method);
        }
        const auto number = static_cast<std::uint8_t>(method - log.methods.begin());
        log.rows.push_back({row->time, number, row->target});
    });
    if (log.rows.empty())
        throw BadInput(
            fmt::format("{} holds no request; known are JSON lines with time, method "
                        "and path, and the combined format",
                        name));
    std::stable_sort(log.rows.begin(), log.rows.end(),
                     [](const Recorded& a, const Recorded& b) { return a.at < b.at; });
    const Duration first = log.rows.front().at;
    for (Recorded& row : log.rows)
        row.at -= first;
    return log;
}

}  // namespace scrollgate::bench
