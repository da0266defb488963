// The index against the obvious: every route tried in turn, written without the router's help.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "proxy/routing/route_index.hpp"
#include "proxy/routing/router.hpp"

using namespace scrollgate;

namespace {

struct Request {
    std::string listener, host, path, method, header, value;
};

bool host_agrees(const std::string& pattern, const std::string& host) {
    if (pattern.empty()) return true;
    if (pattern.starts_with("*.")) {
        const std::string tail = pattern.substr(1);
        return host.size() > tail.size() && host.ends_with(tail);
    }
    return pattern == host;
}

bool path_agrees(const config::Match& match, const std::string& path) {
    if (!match.path_exact.empty()) return match.path_exact == path;
    if (match.path_prefix.empty()) return true;
    if (!path.starts_with(match.path_prefix)) return false;
    return match.path_prefix.back() == '/' || path.size() == match.path_prefix.size() ||
           path[match.path_prefix.size()] == '/';
}

std::optional<std::size_t> first(const std::vector<config::Route>& routes, const Request& r) {
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const config::Match& m = routes[i].match;
        if (!m.listener.empty() && m.listener != r.listener) continue;
        if (!host_agrees(m.host, r.host) || !path_agrees(m, r.path)) continue;
        if (!m.methods.empty() && m.methods.front() != r.method) continue;
        if (!m.headers.empty() && m.headers.front().second != r.value) continue;
        return i;
    }
    return std::nullopt;
}

class Maker {
  public:
    explicit Maker(std::uint64_t seed) : rng_(seed) {}

    std::string host() {
        std::string text;
        for (auto labels = rng_.below(3); labels > 0; --labels)
            text += one_of("abc") + '.';
        return text + one_of("xy");
    }
    std::string path() {
        std::string text = "/";
        for (auto pieces = rng_.below(5); pieces > 0; --pieces)
            text += one_of("ab/");
        return text;
    }
    config::Route route() {
        config::Match match;
        if (rng_.below(3) != 0) match.host = (rng_.below(2) == 0 ? "*." : "") + host();
        if (const auto kind = rng_.below(8); kind < 4)
            match.path_prefix = path();
        else if (kind < 7)
            match.path_exact = path();
        if (rng_.below(4) == 0) match.listener = one_of("lm");
        if (rng_.below(4) == 0) match.methods = {one_of("GP")};
        if (rng_.below(4) == 0) match.headers = {{"X-V", one_of("12")}};
        config::Route route;
        route.match = match;
        return route;
    }
    Request request() { return {one_of("lm"), host(), path(), one_of("GP"), "x-v", one_of("12")}; }
    std::uint64_t below(std::uint64_t bound) { return rng_.below(bound); }

  private:
    std::string one_of(std::string_view letters) {
        return std::string(1, letters[rng_.below(letters.size())]);
    }
    FastRng rng_;
};

}  // namespace

TEST_CASE("the index finds what trying every route in turn finds") {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        CAPTURE(seed);
        Maker make(seed);
        std::vector<config::Route> routes(make.below(60));
        std::generate(routes.begin(), routes.end(), [&] { return make.route(); });
        const Router router(routes);
        for (int i = 0; i < 300; ++i) {
            const Request r = make.request();
            CAPTURE(r.host);
            CAPTURE(r.path);
            RequestHead head;
            head.method_text = r.method;
            head.authority = r.host;
            head.fields.add(r.header, r.value);
            REQUIRE(router.find(r.listener, r.path, head) == first(routes, r));
        }
    }
}

TEST_CASE("10,000 routes are not tried one by one") {
    std::vector<config::Route> routes(10'000);
    for (std::size_t i = 0; i < routes.size(); ++i) {
        const std::string n = std::to_string(i);
        switch (i % 4) {
            case 0:
                routes[i].match.host = "h" + n + ".example";
                break;
            case 1:
                routes[i].match.host = "*.h" + n + ".example";
                break;
            case 2:
                routes[i].match.path_prefix = "/svc/" + n;
                break;
            default:
                routes[i].match.path_exact = "/page/" + n;
                break;
        }
    }
    const RouteIndex index(routes);
    const auto candidates = [&](std::string_view host, std::string_view path) {
        std::vector<std::uint32_t> met;
        index.walk(host, path,
                   [&](const RouteList& list) { met.insert(met.end(), list.begin(), list.end()); });
        return met;
    };
    using List = std::vector<std::uint32_t>;
    CHECK(candidates("h400.example", "/svc/1") == List{400});
    CHECK(candidates("a.b.h401.example", "/") == List{401});
    CHECK(candidates("other", "/svc/402/x") == List{402});
    CHECK(candidates("h400.example", "/page/403") == List{400, 403});
    CHECK(candidates("other", "/none").empty());
}
