#include "proxy/demo/site.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/limits.hpp"
#include "core/message.hpp"
#include "core/rng.hpp"
#include "proxy/demo/metadata.hpp"

namespace scrollgate::demo {
namespace {

using http1::HttpRequest;
using http1::HttpResponse;
using std::chrono::milliseconds;

constexpr std::string_view last_modified = "Thu, 01 Jan 2026 00:00:00 GMT";
constexpr std::string_view json_type = "application/json";

constexpr std::array<std::pair<std::string_view, std::size_t>, 5> file_sizes{{
    {"1k.bin", limits::KiB},
    {"16k.bin", 16 * limits::KiB},
    {"100k.bin", 100 * limits::KiB},
    {"1m.bin", limits::MiB},
    {"10m.bin", 10 * limits::MiB},
}};

constexpr std::string_view welcome_page = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Scrollgate demo</title>
<style>body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 40em; margin: 4em auto }}</style>
<h1>Scrollgate is running</h1>
<p>This page came from <b>{0}</b> ({1}), one of three small origins in this process that stand for
AWS, GCP and Azure. Reload, and another one may answer.</p>
<ul>
<li><a href="/metadata/scrolls/1.json">/metadata/scrolls/1.json</a> - NFT-style metadata, any id
<li><a href="/files/1m.bin">/files/1m.bin</a> - also 1k, 16k, 100k and 10m
<li><a href="/slow?ms=500">/slow?ms=500</a> - an answer that takes its time
<li><a href="/fail?status=503&amp;share=0.5">/fail?status=503&amp;share=0.5</a> - half of them fail
<li><a href="/headers">/headers</a> - the request as the origin got it
<li><a href="/status/404">/status/404</a> - any status
</ul>
<p>POST something to /echo to get it back.</p>
</html>
)";

HttpResponse plain(unsigned status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    response.headers = {{"Cache-Control", "no-store"}};
    return response;
}

/// The value of a query parameter as written; nothing if it is not there.
std::optional<std::string_view> parameter(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name) {
            return equals == pair.npos ? std::string_view{} : pair.substr(equals + 1);
        }
    }
    return std::nullopt;
}

/// A whole text as a number within [low, high], or nothing.
template <class Number>
std::optional<Number> number(std::string_view text, Number low, Number high) {
    Number value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || !(value >= low && value <= high)) {
        return std::nullopt;
    }
    return value;
}

/// Turns a response into 304 if the client already has it (RFC 9110 section 13.1.2).
HttpResponse unless_known(const HttpRequest& request, HttpResponse response) {
    const std::string_view tag = http1::find_header(response.headers, "ETag");
    const std::string_view known = request.header("If-None-Match");
    if (known == "*" || (!tag.empty() && known.find(tag) != known.npos)) {
        response.status = 304;
        response.content_type.clear();
        response.body.clear();
        response.shared_body.reset();
    }
    return response;
}

HttpResponse headers(const HttpRequest& request) {
    boost::json::array fields;
    for (const auto& [name, value] : request.headers) {
        fields.push_back({{"name", name}, {"value", value}});
    }
    const boost::json::object shown{
        {"method", request.method}, {"target", request.target}, {"headers", std::move(fields)}};
    HttpResponse response = plain(200, boost::json::serialize(shown) + "\n");
    response.content_type = json_type;
    return response;
}

HttpResponse echo(const HttpRequest& request) {
    HttpResponse response = plain(200, request.body);
    if (const std::string_view type = request.header("Content-Type"); !type.empty()) {
        response.content_type = type;
    }
    return response;
}

HttpResponse status(std::string_view code) {
    const auto value = number<unsigned>(code, 200, 599);
    if (!value) return plain(400, "A final status is 200 to 599.\n");
    HttpResponse response = plain(*value, {});
    if (*value == 204 || *value == 304) {
        response.content_type.clear();
    } else {
        response.body =
            fmt::format("{} {}\n", *value, reason_phrase(static_cast<std::uint16_t>(*value)));
    }
    return response;
}

Answer slow(const HttpRequest& request) {
    const auto ms = number<unsigned>(parameter(request.query, "ms").value_or("500"), 0, 60'000);
    if (!ms) return {plain(400, "ms is 0 to 60000.\n")};
    return {plain(200, fmt::format("That took {} ms more.\n", *ms)), milliseconds(*ms)};
}

}  // namespace

std::shared_ptr<const std::string> FileShelf::find(std::string_view name) {
    if (const auto there = made_.find(name); there != made_.end()) return there->second;
    for (const auto& [known, size] : file_sizes) {
        if (known != name) continue;
        std::string bytes(size, '\0');
        FastRng rng(size);
        for (char& byte : bytes) {
            byte = static_cast<char>(rng.next() >> 56);
        }
        return made_.emplace(name, std::make_shared<const std::string>(std::move(bytes)))
            .first->second;
    }
    return nullptr;
}

Site::Site(std::string provider, std::string region, FileShelf& files)
    : provider_(std::move(provider)), region_(std::move(region)), files_(files) {}

Answer Site::answer(const HttpRequest& request) {
    Answer answer = route(request);
    answer.response.headers.emplace_back("X-Cloud", provider_);
    return answer;
}

Answer Site::route(const HttpRequest& request) {
    const std::string_view path = request.path;
    if (path == "/echo") {
        if (request.method == "POST" || request.method == "PUT") return {echo(request)};
        HttpResponse refused = plain(405, "POST something here.\n");
        refused.headers.emplace_back("Allow", "POST, PUT");
        return {std::move(refused)};
    }
    if (path == "/headers") return {headers(request)};
    if (path.starts_with("/status/")) return {status(path.substr(8))};
    if (request.method != "GET" && request.method != "HEAD") {
        HttpResponse refused = plain(405, "Only GET and HEAD here.\n");
        refused.headers.emplace_back("Allow", "GET, HEAD");
        return {std::move(refused)};
    }
    if (path == "/") return {welcome()};
    if (path == "/healthz") return {plain(200, "ok\n")};
    if (path == "/slow") return slow(request);
    if (path == "/fail") return {fail(request)};
    if (path.starts_with("/metadata/")) return {metadata(request)};
    if (path.starts_with("/files/")) return {file(request)};
    return {plain(404, "There is nothing here. / lists what there is.\n")};
}

HttpResponse Site::welcome() const {
    HttpResponse response = plain(200, fmt::format(welcome_page, provider_, region_));
    response.content_type = "text/html; charset=utf-8";
    return response;
}

HttpResponse Site::metadata(const HttpRequest& request) const {
    constexpr std::string_view suffix = ".json";
    std::string_view rest =
        std::string_view(request.path).substr(std::string_view("/metadata/").size());
    const std::size_t slash = rest.find('/');
    if (slash == rest.npos || !rest.ends_with(suffix)) return plain(404, "No such document.\n");
    const std::string_view collection = rest.substr(0, slash);
    const std::string_view id = rest.substr(slash + 1, rest.size() - slash - 1 - suffix.size());
    if (!is_plain_name(collection) || !is_plain_name(id)) return plain(404, "No such document.\n");

    HttpResponse response;
    response.content_type = json_type;
    response.body = metadata_json(collection, id);
    response.headers = {{"Cache-Control", "public, max-age=60"},
                        {"ETag", fmt::format("\"{}-{}\"", collection, id)},
                        {"Last-Modified", std::string(last_modified)}};
    return unless_known(request, std::move(response));
}

HttpResponse Site::file(const HttpRequest& request) {
    const std::string_view name =
        std::string_view(request.path).substr(std::string_view("/files/").size());
    HttpResponse response;
    response.shared_body = files_.find(name);
    if (!response.shared_body) return plain(404, "No such file: 1k, 16k, 100k, 1m or 10m .bin\n");
    response.content_type = "application/octet-stream";
    response.headers = {{"Cache-Control", "public, max-age=3600"},
                        {"ETag", fmt::format("\"{}\"", name)},
                        {"Last-Modified", std::string(last_modified)}};
    return unless_known(request, std::move(response));
}

// Evenly spread instead of by chance: with share=0.5 exactly every second request fails.
HttpResponse Site::fail(const HttpRequest& request) {
    const auto code =
        number<unsigned>(parameter(request.query, "status").value_or("503"), 400, 599);
    const auto share = number<double>(parameter(request.query, "share").value_or("1"), 0.0, 1.0);
    if (!code || !share) return plain(400, "status is 400 to 599, share 0 to 1.\n");
    failing_ += *share;
    if (failing_ < 1.0) return plain(200, "This one went well.\n");
    failing_ -= 1.0;
    return plain(*code, "This one fails, as asked.\n");
}

}  // namespace scrollgate::demo
