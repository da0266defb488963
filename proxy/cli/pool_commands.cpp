#include "proxy/cli/pool_commands.hpp"

#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/ostream.h>

#include "proxy/admin/path_pattern.hpp"
#include "proxy/cli/change.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;
using cli::change;
using cli::number;
using cli::text;

void print_scale(const std::string& pool, const json::object& scale, const Console& console) {
    fmt::print(console.out, "pool {}: {} in service, {} wanted: {}\n", printable(pool),
               number(scale, "in_service"), number(scale, "wanted"), text(scale, "why"));
}

void print_pool(const json::object& answer, const Console& console) {
    const json::value* span = answer.if_contains("for");
    std::string end;
    if (span != nullptr) {
        const std::string given = printable(std::string(span->as_string()));
        end = given == "none" ? ", until you end it with fail --end" : ", for " + given;
    }
    fmt::print(console.out, "pool {} is {}: {}{}\n", text(answer, "pool"), text(answer, "state"),
               text(answer, "why"), end);
}

void print_endpoint(const json::object& answer, const Console& console) {
    fmt::print(console.out, "pool {}: {} is {}: {}\n", text(answer, "pool"),
               text(answer, "address"), text(answer, "state"), text(answer, "why"));
}

std::string pool_path(const std::string& pool, const char* verb) {
    return "/api/v1/pools/" + path_segment(pool) + "/" + verb;
}

int change_endpoint(const AdminTarget& target, const std::string& pool, const std::string& address,
                    const char* verb, const Console& console) {
    Question question{"POST", "/api/v1/endpoints/" + path_segment(pool) + "/" +
                                  path_segment(address) + "/" + verb};
    return change(target, std::move(question), console,
                  [&](const json::object& answer) { print_endpoint(answer, console); });
}

}  // namespace

int run_scale(const AdminTarget& target, const ScaleRequest& request, const Console& console) {
    json::object body;
    if (request.factor) body["factor"] = *request.factor;
    if (request.active) body["active"] = *request.active;
    const std::string& pool = request.pool;
    Question question{"POST", pool.empty() ? "/api/v1/scale" : pool_path(pool, "scale"),
                      json::serialize(body)};
    return change(target, std::move(question), console, [&](const json::object& answer) {
        if (pool.empty()) {
            for (const auto& one : answer.at("pools").as_object())
                print_scale(std::string(one.key()), one.value().as_object(), console);
        } else {
            print_scale(pool, answer, console);
        }
        const std::uint64_t pending = number(answer, "pending");
        if (pending == 0) return;
        fmt::print(console.err, "scrollgate: standbys have run out: {} more {} wanted\n", pending,
                   pending == 1 ? "is" : "are");
    });
}

int run_fail(const AdminTarget& target, const std::string& pool, const std::string& span,
             const Console& console) {
    json::object body;
    if (!span.empty()) body["for"] = span;
    return change(target, {"POST", pool_path(pool, "fail"), json::serialize(body)}, console,
                  [&](const json::object& answer) { print_pool(answer, console); });
}

int run_unfail(const AdminTarget& target, const std::string& pool, const Console& console) {
    return change(target, {"DELETE", pool_path(pool, "fail")}, console,
                  [&](const json::object& answer) { print_pool(answer, console); });
}

int run_drain(const AdminTarget& target, const std::string& pool, const std::string& address,
              const Console& console) {
    return change_endpoint(target, pool, address, "drain", console);
}

int run_undrain(const AdminTarget& target, const std::string& pool, const std::string& address,
                const Console& console) {
    return change_endpoint(target, pool, address, "undrain", console);
}

}  // namespace scrollgate
