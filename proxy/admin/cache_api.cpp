#include "proxy/admin/cache_api.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "config/scalars.hpp"
#include "config/suggest.hpp"
#include "core/percent.hpp"
#include "proxy/admin/answers.hpp"
#include "proxy/admin/asked_fields.hpp"
#include "proxy/admin/json_body.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

http1::HttpResponse refused(const CacheRefusal& refusal) {
    return admin_error(refusal.status, refusal.token, refusal.message);
}

http1::HttpResponse wrong_request(std::string_view why) {
    return admin_error(400, "bad_request", why);
}

/// The one of url, prefix, tag and all that the body names.
PurgeWish wish_of(JsonBody& body) {
    PurgeWish wish;
    int given = 0;
    const auto take = [&](const char* key, Purge::By by) {
        if (body.find(key) == nullptr) return;
        ++given;
        wish.by = by;
        wish.what = body.text(key);
        if (wish.what.empty()) body.fail(fmt::format("{} is empty", key));
        if (wish.what.size() > limits::cache_key)
            body.fail(fmt::format("{} has more than {} bytes: nothing that is stored has so many",
                                  key, limits::cache_key));
    };
    take("url", Purge::By::url);
    take("prefix", Purge::By::prefix);
    take("tag", Purge::By::tag);
    if (body.find("all") != nullptr) {
        ++given;
        wish.by = Purge::By::all;
        wish.what.clear();
        if (!body.flag("all", true)) body.fail("all can only be true");
    }
    if (given != 1) body.fail("give one of url, prefix, tag and all");
    wish.soft = body.flag("soft", false);
    return wish;
}

double rate_of(JsonBody& body) {
    const json::value* value = body.find("rate");
    if (value == nullptr) return limits::warm_rate;
    const double rate = value->is_number() ? value->to_number<double>() : 0;
    if (!std::isfinite(rate) || rate < 0.001 || rate > 1e6)
        body.fail("rate must be a number of fetches per second, 0.001 to 1000000");
    return rate;
}

std::vector<std::string> urls_of(JsonBody& body) {
    std::vector<std::string> urls;
    const json::value* value = body.find("urls");
    if (value == nullptr || !value->is_array() || value->as_array().empty()) {
        body.fail("urls must be a list of URLs");
        return urls;
    }
    const json::array& all = value->as_array();
    if (all.size() > limits::warm_urls) {
        body.fail(fmt::format("more than {} URLs; give several jobs", limits::warm_urls));
        return urls;
    }
    for (const json::value& one : all) {
        if (!one.is_string()) {
            body.fail("each of urls must be a text");
            return urls;
        }
        urls.emplace_back(one.as_string());
    }
    return urls;
}

json::object progress_json(const WarmProgress& progress) {
    json::array troubles;
    for (const auto& [url, why] : progress.troubles)
        troubles.push_back(json::object{{"url", url}, {"why", why}});
    return {{"job", progress.id},
            {"state", progress.finished ? "done" : "running"},
            {"total", progress.total},
            {"done", progress.done},
            {"stored", progress.stored},
            {"not_stored", progress.not_stored},
            {"failed", progress.failed},
            {"rate", progress.rate},
            {"troubles", std::move(troubles)}};
}

/// Whole seconds, at least one.
std::optional<std::uint32_t> ttl_of(const std::string& text, std::string& wrong) {
    if (text.empty()) {
        wrong = "ttl is missing: how long it is served, such as ttl=1h";
        return std::nullopt;
    }
    const config::Parsed<Duration> parsed = config::parse_duration(text);
    if (!parsed.value) {
        wrong = "ttl: " + parsed.wrong;
        return std::nullopt;
    }
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*parsed.value).count();
    if (seconds < 1) {
        wrong = "ttl must be more than 0";
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, limits::cache_ttl_most));
}

/// The url parameter, where it is the only one, or only `other` beside it.
std::string only_url(const CacheCall& call, std::string& wrong, std::string_view other = "url") {
    std::string url = query_parameter(call.request.query, "url", {"url", other}, wrong);
    if (wrong.empty() && url.empty()) wrong = "url is missing: ?url=http%3A%2F%2Fhost%2Fpath";
    return url;
}

}  // namespace

std::vector<std::string> query_parameters(std::string_view query, std::string_view name,
                                          const std::vector<std::string_view>& known,
                                          std::string& wrong) {
    std::vector<std::string> values;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view one = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(one.find('='), one.size());
        const std::string_view key = one.substr(0, equals);
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            wrong = fmt::format("there is no parameter {} here{}; an & in a URL is written %26",
                                config::quoted(key), config::did_you_mean(key, known));
            return {};
        }
        if (key != name) continue;
        std::optional<std::string> value = unescaped(one.substr(std::min(equals + 1, one.size())));
        if (!value) {
            wrong = fmt::format("{} has a malformed escape", name);
            return {};
        }
        values.push_back(std::move(*value));
    }
    return values;
}

std::string query_parameter(std::string_view query, std::string_view name,
                            const std::vector<std::string_view>& known, std::string& wrong) {
    std::vector<std::string> values = query_parameters(query, name, known, wrong);
    if (values.size() > 1) wrong = fmt::format("{} stands twice", name);
    return values.size() == 1 ? std::move(values.front()) : std::string();
}

void cache_purge(const CacheCall& call) {
    JsonBody body(call.request.body, {"url", "prefix", "tag", "all", "soft"},
                  R"({"url": "http://host/path"} or {"prefix": "host/path/"}, {"tag": "news"}, )"
                  R"({"all": true})");
    const PurgeWish wish = wish_of(body);
    if (!body.wrong().empty()) return call.reply(wrong_request(body.wrong()));
    const CacheRefusal refusal =
        call.desk.purge(wish, [reply = call.reply](std::uint64_t objects, std::size_t nodes) {
            reply(json_answer(
                200, json::serialize(json::object{{"objects", objects}, {"nodes", nodes}})));
        });
    if (refusal) call.reply(refused(refusal));
}

void cache_put(const CacheCall& call) {
    const std::vector<std::string_view> known{"url", "ttl"};
    std::string wrong;
    const std::string url = query_parameter(call.request.query, "url", known, wrong);
    if (wrong.empty() && url.empty())
        wrong = "url is missing: ?url=http%3A%2F%2Fhost%2Fpath&ttl=1h";
    const std::string span =
        wrong.empty() ? query_parameter(call.request.query, "ttl", known, wrong) : "";
    std::optional<std::uint32_t> ttl;
    if (wrong.empty()) ttl = ttl_of(span, wrong);
    if (!ttl) return call.reply(wrong_request(wrong));
    const std::string_view type = call.request.header("content-type");
    const HandEntry entry{type.empty() ? "application/octet-stream" : type, call.request.body,
                          *ttl};
    std::string where;
    if (const CacheRefusal refusal = call.desk.put(url, entry, where))
        return call.reply(refused(refusal));
    call.reply(
        json_answer(201, json::serialize(json::object{
                             {"url", where}, {"bytes", call.request.body.size()}, {"ttl", *ttl}})));
}

void cache_get(const CacheCall& call) {
    std::string wrong;
    const std::string url = only_url(call, wrong);
    if (!wrong.empty()) return call.reply(wrong_request(wrong));
    HandFound found = call.desk.get(url);
    if (found.refusal) return call.reply(refused(found.refusal));
    http1::HttpResponse response = text_answer(200, std::move(found.body));
    response.content_type = found.type;
    response.headers.emplace_back("Age", fmt::format("{}", std::max<std::int64_t>(found.age, 0)));
    response.headers.emplace_back("X-Scrollgate-Ttl", fmt::format("{}", found.ttl));
    response.headers.emplace_back("X-Scrollgate-Status", fmt::format("{}", found.status));
    response.headers.emplace_back("X-Scrollgate-By-Hand", found.by_hand ? "true" : "false");
    call.reply(std::move(response));
}

void cache_remove(const CacheCall& call) {
    std::string wrong;
    const std::string url = only_url(call, wrong);
    if (!wrong.empty()) return call.reply(wrong_request(wrong));
    const CacheRefusal refusal =
        call.desk.remove(url, [reply = call.reply](std::uint64_t objects, std::size_t) {
            if (objects == 0)
                return reply(admin_error(404, "absent", "nothing is stored for this key"));
            reply(json_answer(200, json::serialize(json::object{{"objects", objects}})));
        });
    if (refusal) call.reply(refused(refusal));
}

void cache_warm(const CacheCall& call) {
    JsonBody body(call.request.body, {"urls", "rate"},
                  R"({"urls": ["http://host/path"], "rate": 100})");
    std::vector<std::string> urls = urls_of(body);
    const double rate = rate_of(body);
    if (!body.wrong().empty()) return call.reply(wrong_request(body.wrong()));
    const std::size_t total = urls.size();
    std::uint64_t job = 0;
    if (const CacheRefusal refusal = call.desk.warm(std::move(urls), rate, job))
        return call.reply(refused(refusal));
    call.reply(json_answer(202, json::serialize(json::object{{"job", job}, {"total", total}})));
}

void cache_job(const CacheCall& call) {
    const std::string& text = call.parameters.front();
    const auto number = config::parse_count(text, 0, UINT64_MAX);
    const std::uint64_t job = number.value.value_or(0);
    std::string wrong;
    const std::string seen = query_parameter(call.request.query, "seen", {"seen"}, wrong);
    const auto count = config::parse_count(seen.empty() ? "0" : seen, 0, UINT32_MAX);
    if (wrong.empty() && !count.value) wrong = "seen: " + count.wrong;
    if (!wrong.empty()) return call.reply(wrong_request(wrong));
    CacheDesk& desk = call.desk;
    const auto answer = [&desk, job, text, reply = call.reply] {
        const std::optional<WarmProgress> progress = desk.progress(job);
        reply(progress ? json_answer(200, json::serialize(progress_json(*progress)))
                       : admin_error(404, "unknown_job",
                                     fmt::format("there is no job {}, or it ended long ago",
                                                 config::quoted(text))));
    };
    if (seen.empty()) return answer();
    desk.watch(job, *count.value, answer);
}

void cache_explain(const CacheCall& call, const Status& status) {
    std::string wrong;
    const std::string url = only_url(call, wrong, "header");
    const AskedFields asked =
        asked_fields(query_parameters(call.request.query, "header", {"url", "header"}, wrong));
    if (wrong.empty()) wrong = asked.wrong;
    if (!wrong.empty()) return call.reply(wrong_request(wrong));
    json::object facts;
    for (const auto& [name, text] : call.desk.explain(url, asked.fields, status))
        facts[name] = text;
    if (const json::value* no = facts.if_contains("wrong"))
        return call.reply(admin_error(400, "bad_url", std::string_view(no->as_string())));
    call.reply(json_answer(200, json::serialize(facts)));
}

}  // namespace scrollgate
