#include "proxy/cli/status_table.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include "proxy/cli/ask.hpp"
#include "proxy/cli/cache_advice.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view key) {
    const json::value& value = object.at(key);
    if (value.is_string()) return std::string(value.as_string());
    return std::to_string(value.to_number<std::int64_t>());
}

// Rows of cells; the columns are as wide as their widest cell, in characters.
class Table {
  public:
    /// `sides`: for each column 'l' (text) or 'r' (numbers).
    Table(std::vector<std::string> header, std::string_view sides) : sides_(sides) {
        rows_.push_back(std::move(header));
    }
    void add(std::vector<std::string> row) {
        for (std::string& cell : row)
            cell = printable(cell.empty() ? "-" : std::move(cell));
        rows_.push_back(std::move(row));
    }

    [[nodiscard]] std::string str(bool colour) const {
        std::vector<std::size_t> widths(rows_.front().size(), 0);
        for (const auto& row : rows_) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                widths[i] = std::max(widths[i], characters(row[i]));
            }
        }
        std::string out;
        for (const auto& row : rows_) {
            std::string line = " ";
            for (std::size_t i = 0; i < row.size(); ++i) {
                const std::string pad(widths[i] - characters(row[i]), ' ');
                line += ' ';
                line += sides_[i] == 'l' ? row[i] + pad : pad + row[i];
            }
            line.erase(line.find_last_not_of(' ') + 1);
            const bool head = colour && &row == &rows_.front();
            out += head ? "\x1b[2m" + line + "\x1b[0m" : line;
            out += '\n';
        }
        return out;
    }

  private:
    static std::size_t characters(std::string_view cell) {
        return static_cast<std::size_t>(
            std::count_if(cell.begin(), cell.end(), [](char c) { return (c & 0xc0) != 0x80; }));
    }

    std::string_view sides_;
    std::vector<std::vector<std::string>> rows_;
};

std::string paint(const std::string& word, const char* code, bool colour) {
    return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, word) : word;
}

std::string span(std::int64_t seconds) {
    if (seconds < 60) return fmt::format("{} s", seconds);
    if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    if (seconds < 86400) {
        return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
    }
    return fmt::format("{} d {} h", seconds / 86400, seconds / 3600 % 24);
}

std::string figure(const json::value& value, const char* format) {
    if (value.is_null()) return "";
    return fmt::format(fmt::runtime(format), value.to_number<double>());
}

std::string percent(const json::value& share) {
    if (share.is_null()) return "";
    const double value = 100 * share.to_number<double>();
    return value > 99 && value < 100 ? fmt::format("{:.3f}%", value)
                                     : fmt::format("{:.0f}%", value);
}

std::string pool_table(const json::array& pools, bool colour) {
    Table table({"POOL", "PROVIDER", "REGION", "STATE", "SCORE", "SHARE", "ACTIVE", "STANDBY",
                 "WANTED", "UP 24H", "WHY"},
                "llllrrrrrrl");
    for (const json::value& item : pools) {
        const json::object& pool = item.as_object();
        const json::object& scale = pool.at("scale").as_object();
        std::string why = text(pool, "why");
        for (const json::value& one : pool.at("depends_on").as_array()) {
            const json::object& dependency = one.as_object();
            if (!dependency.at("up").as_bool()) why += "; gone: " + text(dependency, "url");
        }
        if (text(pool, "tls") == "unverified")
            why += "; its TLS is NOT VERIFIED (tls.verify: false)";
        if (text(scale, "why") != "as configured") why += "; " + text(scale, "why");
        table.add({text(pool, "name"), text(pool, "provider"), text(pool, "region"),
                   text(pool, "state"), figure(pool.at("score"), "{:.2f}"),
                   percent(pool.at("share")), text(pool, "active"), text(pool, "standby"),
                   text(scale, "wanted"), percent(pool.at("availability").at("24h")), why});
    }
    return table.str(colour);
}

std::string endpoint_table(const json::array& pools, bool colour) {
    Table table({"POOL", "ENDPOINT", "ZONE", "STATE", "SCORE", "P50 MS", "P99 MS", "IN FLIGHT",
                 "REQUESTS", "FAILURES", "EJECTIONS", "WHY"},
                "llllrrrrrrrl");
    for (const json::value& item : pools) {
        for (const json::value& member : item.at("endpoints").as_array()) {
            const json::object& endpoint = member.as_object();
            const json::object& latency = endpoint.at("latency_ms").as_object();
            // What is in and well needs no reason.
            const std::string state = text(endpoint, "state");
            table.add({text(item.as_object(), "name"), text(endpoint, "address"),
                       text(endpoint, "zone"), state, figure(endpoint.at("score"), "{:.2f}"),
                       figure(latency.at("p50"), "{:.1f}"), figure(latency.at("p99"), "{:.1f}"),
                       text(endpoint, "in_flight"), text(endpoint, "requests"),
                       text(endpoint, "failures"), text(endpoint, "ejections"),
                       state == "in" && endpoint.at("score").to_number<double>() >= 0.9
                           ? ""
                           : text(endpoint, "why")});
        }
    }
    return table.str(colour);
}

std::string route_table(const json::array& routes, bool colour) {
    Table table({"ROUTE", "REQUESTS", "HITS", "STALE", "MISSES", "PASSES", "RETRIES", "HEDGES",
                 "BUDGET", "STATE"},
                "lrrrrrrrrl");
    for (const json::value& item : routes) {
        const json::object& route = item.as_object();
        const json::value& cache = route.at("cache");
        const auto count = [&](std::string_view key) {
            return cache.is_null() ? std::string() : text(cache.as_object(), key);
        };
        table.add({text(route, "name"), text(route, "requests"), count("hits"), count("stale"),
                   count("misses"), count("passes"), text(route, "retries"), text(route, "hedges"),
                   figure(route.at("budget"), "{:.0f}"),
                   route.at("panic").as_bool() ? "panic: nothing is well, all are tried" : ""});
    }
    return table.str(colour);
}

}  // namespace

std::string status_table(const json::object& status, bool colour) {
    const std::string state = text(status, "state");
    const json::object& snapshot = status.at("snapshot").as_object();
    const json::object& client = status.at("connections").at("client").as_object();
    const json::object& upstream = status.at("connections").at("upstream").as_object();
    std::string out = fmt::format("scrollgate {}  {}  up {}  node {}\n", text(status, "version"),
                                  paint(state, state == "ready" ? "32" : "33", colour),
                                  span(status.at("uptime_s").to_number<std::int64_t>()),
                                  printable(text(status, "node")));
    out += fmt::format("snapshot {} loaded {}  memory {:.1f} MiB\n", text(snapshot, "id"),
                       text(snapshot, "loaded_at"),
                       status.at("memory").at("resident").to_number<double>() / (1024.0 * 1024.0));
    out +=
        fmt::format("connections: client {} ({} idle), upstream {} ({} idle), tunnels {}\n",
                    text(client, "open"), text(client, "idle"), text(upstream, "open"),
                    text(upstream, "idle"), text(status.at("connections").as_object(), "tunnels"));

    out += cache_lines(status.at("cache").as_object());

    const json::array& pools = status.at("pools").as_array();
    return out + "\n" + pool_table(pools, colour) + "\n" + endpoint_table(pools, colour) + "\n" +
           route_table(status.at("routes").as_array(), colour);
}

}  // namespace scrollgate
