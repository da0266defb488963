#include "proxy/admin/pool_commands.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "config/scalars.hpp"
#include "config/suggest.hpp"
#include "core/limits.hpp"
#include "core/net/address.hpp"
#include "proxy/admin/answers.hpp"
#include "proxy/admin/json_body.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;
using Kind = PoolCommand::Kind;

// ---- requests

void take_factor(JsonBody& body, const json::value& value, ScaleWish& wish) {
    if (!value.is_number()) return body.fail("factor must be a number");
    const auto factor = value.to_number<double>();
    if (!std::isfinite(factor) || factor <= 0) return body.fail("factor must be more than 0");
    wish.factor = factor;
}

void take_active(JsonBody& body, const json::value& value, ScaleWish& wish) {
    // Text of digits only becomes uint64 beyond the range of int64.
    if (!value.is_int64() && !value.is_uint64()) {
        return body.fail("active must be a whole number");
    }
    const bool fits = value.is_int64() && value.as_int64() >= 1 &&
                      value.as_int64() <= std::int64_t{limits::scale_most};
    if (!fits) {
        return body.fail(fmt::format("active must be from 1 to {}; to take a pool out, fail it",
                                     limits::scale_most));
    }
    wish.active = static_cast<std::uint32_t>(value.as_int64());
}

std::string parse_scale(PoolCommand& command, std::string_view text) {
    const bool all = command.pool.empty();
    JsonBody body(text, {"factor", "active"},
                  all ? R"({"factor": 2.0})" : R"({"factor": 2.0} or {"active": 4})");
    const json::value* factor = body.find("factor");
    const json::value* active = body.find("active");
    if (factor == nullptr && active == nullptr) {
        body.fail("nothing says how much is wanted");
    } else if (all && active != nullptr) {
        body.fail("active is for one pool: POST /api/v1/pools/{pool}/scale");
    } else if (factor != nullptr && active != nullptr) {
        body.fail("give either factor or active");
    } else if (factor != nullptr) {
        take_factor(body, *factor, command.wish);
    } else {
        take_active(body, *active, command.wish);
    }
    return body.wrong();
}

std::string parse_fail(PoolCommand& command, std::string_view text) {
    JsonBody body(text, {"for"}, R"({"for": "30s"})");
    const json::value* value = body.find("for");
    if (value == nullptr) return body.wrong();
    if (!value->is_string()) {
        body.fail("for must be a text");
        return body.wrong();
    }
    const std::string_view span = value->as_string();
    if (span == "none") return body.wrong();
    const config::Parsed<Duration> parsed = config::parse_duration(span);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (span.empty()) {
        body.fail("for is empty; leave it out for no end");
    } else if (span != "0" && std::all_of(span.begin(), span.end(), digit)) {
        body.fail(fmt::format("for: {} has no unit; write {}s", config::quoted(span), span));
    } else if (!parsed.value) {
        body.fail("for: " + parsed.wrong);
    } else if (*parsed.value <= Duration::zero()) {
        body.fail("for must be more than 0");
    } else {
        command.span = *parsed.value;
    }
    return body.wrong();
}

/// As status writes it: "[0:0::1]:80" is "[::1]:80".
std::string canonical(const std::string& address) {
    const auto parts = parse_host_port(address);
    if (!parts || parts->port == 0) return address;
    const auto literal = SocketAddress::from_ip(parts->host, parts->port);
    return literal ? literal->text() : address;
}

// ---- answers

http1::HttpResponse unknown_pool(const std::string& pool, const HealthStatus& status) {
    std::vector<std::string_view> names;
    for (const HealthStatus::Pool& one : status.pools)
        names.push_back(one.name);
    return admin_error(404, "unknown_pool",
                       fmt::format("there is no pool {}{}; there are: {}", config::quoted(pool),
                                   config::did_you_mean(pool, names), fmt::join(names, ", ")));
}

http1::HttpResponse unknown_endpoint(const std::string& address, const HealthStatus::Pool& pool) {
    constexpr std::size_t shown = 20;
    std::vector<std::string_view> names;
    for (const HealthStatus::Endpoint& one : pool.endpoints)
        names.push_back(one.address);
    const std::string near = config::did_you_mean(address, names);
    std::string more;
    if (names.size() > shown) {
        more = fmt::format(" and {} more", names.size() - shown);
        names.resize(shown);
    }
    return admin_error(
        404, "unknown_endpoint",
        fmt::format("pool {} has no endpoint {}{}; it has: {}{}", pool.name,
                    config::quoted(address), near,
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")), more));
}

json::object scale_json(const ScaleState& scale) {
    return {{"wanted", scale.wanted},
            {"in_service", scale.in_service},
            {"pending", scale.pending},
            {"why", scale.why}};
}

http1::HttpResponse scale_answer(const HealthStatus::Pool& pool) {
    return json_answer(pool.scale.pending > 0 ? 202 : 200, json::serialize(scale_json(pool.scale)));
}

http1::HttpResponse scale_all_answer(double factor, const HealthStatus& status) {
    ScaleState total;
    json::object pools;
    for (const HealthStatus::Pool& pool : status.pools) {
        total.wanted += pool.scale.wanted;
        total.in_service += pool.scale.in_service;
        total.pending += pool.scale.pending;
        pools[pool.name] = scale_json(pool.scale);
    }
    total.why = fmt::format("each of {} pools scaled by {:g}", status.pools.size(), factor);
    if (total.pending > 0) {
        total.why += fmt::format("; {} more wanted than there are", total.pending);
    }
    json::object body = scale_json(total);
    body["pools"] = std::move(pools);
    return json_answer(total.pending > 0 ? 202 : 200, json::serialize(body));
}

}  // namespace

ParsedCommand parse_command(Kind kind, const std::vector<std::string>& parameters,
                            std::string_view body) {
    ParsedCommand parsed;
    PoolCommand& command = parsed.command;
    command.kind = kind;
    if (!parameters.empty()) command.pool = parameters[0];
    if (parameters.size() > 1) command.address = canonical(parameters[1]);
    if (body.size() > limits::admin_command) {
        parsed.error = admin_error(
            413, "body_too_large",
            fmt::format("a command has at most {} bytes of body", limits::admin_command));
        return parsed;
    }
    std::string wrong;
    if (kind == Kind::scale) {
        wrong = parse_scale(command, body);
    } else if (kind == Kind::fail) {
        wrong = parse_fail(command, body);
    } else {
        wrong = JsonBody(body, {}, "").wrong();
    }
    if (!wrong.empty()) parsed.error = admin_error(400, "bad_command", wrong);
    return parsed;
}

http1::HttpResponse command_answer(const PoolCommand& command, const std::string& refused,
                                   const HealthStatus& status) {
    const bool scale = command.kind == Kind::scale;
    if (command.pool.empty() && refused.empty()) {
        return scale_all_answer(command.wish.factor.value_or(1), status);
    }
    const HealthStatus::Pool* pool = status.pool(command.pool);
    if (pool == nullptr && refused.empty() && command.kind == Kind::unfail) {
        return json_answer(
            200, json::serialize(json::object{
                     {"pool", command.pool}, {"state", "gone"}, {"why", "a reload took it out"}}));
    }
    if (!command.pool.empty() && pool == nullptr) return unknown_pool(command.pool, status);
    const bool of_endpoint = command.kind == Kind::drain || command.kind == Kind::undrain;
    const HealthStatus::Endpoint* endpoint =
        of_endpoint ? pool->endpoint(command.address) : nullptr;
    if (!refused.empty()) {
        if (of_endpoint && endpoint == nullptr) return unknown_endpoint(command.address, *pool);
        return scale ? admin_error(400, "bad_command", refused)
                     : admin_error(409, "nothing_to_undo", refused);
    }
    if (scale) return scale_answer(*pool);
    json::object body{{"pool", pool->name}};
    if (of_endpoint) {
        body["address"] = command.address;
        // Undrained, and meanwhile its name has another address.
        body["state"] = endpoint != nullptr ? standing_text(endpoint->standing) : "gone";
        body["why"] = endpoint != nullptr ? endpoint->why : "it has left its pool";
        return json_answer(200, json::serialize(body));
    }
    body["state"] = pool->state;
    body["why"] = pool->why;
    if (command.kind == Kind::fail) body["for"] = config::duration_text(command.span);
    return json_answer(200, json::serialize(body));
}

}  // namespace scrollgate
