#include "proxy/cli/status_table.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

namespace scrollgate {
namespace {

namespace json = boost::json;

std::string text(const json::object& object, std::string_view key) {
    const json::value& value = object.at(key);
    if (value.is_string()) return std::string(value.as_string());
    return std::to_string(value.to_number<std::int64_t>());
}

// Bytes that a terminal might obey do not come from a configuration's names.
std::string printable(std::string value) {
    for (char& c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return value;
}

// Rows of cells; the columns are as wide as their widest cell, in characters.
class Table {
  public:
    explicit Table(std::vector<std::string> header, std::size_t left_columns)
        : left_columns_(left_columns) {
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
                line += i < left_columns_ ? row[i] + pad : pad + row[i];
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

    std::size_t left_columns_;  // aligned left; the others are numbers
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

    Table endpoints({"POOL", "PROVIDER", "REGION", "ENDPOINT", "ZONE", "STATE", "IN FLIGHT",
                     "REQUESTS", "FAILURES", "RETRIES", "CONNECTIONS"},
                    6);
    for (const json::value& item : status.at("pools").as_array()) {
        const json::object& pool = item.as_object();
        std::vector<std::string> lead{text(pool, "name"), text(pool, "provider"),
                                      text(pool, "region")};
        const json::array& members = pool.at("endpoints").as_array();
        if (members.empty()) {
            lead.insert(lead.end(), {"", "", text(pool, "state"), "", "", "", "", ""});
            endpoints.add(lead);
            continue;
        }
        for (const json::value& member : members) {
            std::vector<std::string> row = lead;
            for (const char* key : {"address", "zone", "state", "in_flight", "requests", "failures",
                                    "retries", "connections"}) {
                row.push_back(text(member.as_object(), key));
            }
            endpoints.add(std::move(row));
        }
    }
    Table routes({"ROUTE", "REQUESTS", "RETRIES"}, 1);
    for (const json::value& item : status.at("routes").as_array()) {
        const json::object& route = item.as_object();
        routes.add({text(route, "name"), text(route, "requests"), text(route, "retries")});
    }
    return out + "\n" + endpoints.str(colour) + "\n" + routes.str(colour);
}

}  // namespace scrollgate
