// The page: well-formed, complete in itself, and deaf to what others put into it.
#include <algorithm>
#include <map>
#include <vector>

#include <doctest/doctest.h>

#include "bench/report/html.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/page_assets.hpp"
#include "tests/unit/bench/report_by_hand.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

struct Page {
    std::map<std::string, int> elements;  ///< how many of each
    std::vector<std::string> attributes;  ///< name="value"
    std::string trouble;                  ///< the first thing that is not as it should be
};

/// Reads the attributes of a tag behind its name: each name="value" with an escaped value.
void read_attributes(std::string_view text, Page& page) {
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(" \n/"), text.size()));
        if (text.empty()) return;
        const std::size_t equals = text.find("=\"");
        const std::size_t end = text.find('"', equals + 2);
        if (equals == text.npos || end == text.npos) {
            page.trouble += "attribute: " + std::string(text.substr(0, 40)) + "\n";
            return;
        }
        const std::string_view attribute = text.substr(0, end + 1);
        if (attribute.find_first_of("<>") != text.npos)
            page.trouble += "not escaped: " + std::string(attribute) + "\n";
        page.attributes.emplace_back(attribute);
        text.remove_prefix(end + 1);
    }
}

/// A strict reader: every element is closed in order, but for <meta> and those that end in "/>".
Page read(std::string_view html) {
    Page page;
    std::vector<std::string> open;
    if (!html.starts_with("<!DOCTYPE html>\n")) page.trouble += "doctype\n";
    html.remove_prefix(15);
    while (page.trouble.empty()) {
        const std::size_t begin = html.find_first_of("<>");
        if (begin == html.npos) break;
        html.remove_prefix(begin);
        const std::size_t end = html.find('>');
        if (html.front() == '>' || end == html.npos) {
            page.trouble += "bare: " + std::string(html.substr(0, 40)) + "\n";
            break;
        }
        std::string_view tag = html.substr(1, end - 1);
        html.remove_prefix(end + 1);
        if (tag.starts_with('/')) {
            if (open.empty() || open.back() != tag.substr(1))
                page.trouble += "closed: " + std::string(tag) + "\n";
            else
                open.pop_back();
            continue;
        }
        const std::string name(tag.substr(0, tag.find_first_of(" /\n")));
        ++page.elements[name];
        read_attributes(tag.substr(name.size()), page);
        if (name != "meta" && !tag.ends_with('/')) open.push_back(name);
        if (name == "style" || name == "script") html.remove_prefix(html.find("</" + name));
    }
    for (const std::string& name : open)
        page.trouble += "left open: " + name + "\n";
    return page;
}

}  // namespace

TEST_CASE("the page is well-formed, whatever was run") {
    Report failed({"GET"}, 100ms);
    failed.open_loop = true;
    for (int i = 0; i < 5; ++i)
        testing::count(failed, {i * 100ms, 1ms, 0ms, 0, Failure::refused});
    for (const Report& report : {testing::open_loop(), testing::drill(), testing::ramp(), failed,
                                 Report({"GET"}, 100ms)}) {
        const Page page = read(html_page(report));
        CHECK(page.trouble == "");
        CHECK(page.elements.at("html") == 1);
        CHECK(page.elements.at("h1") == 1);
        CHECK(page.elements.at("svg") == (report.grouped_by.empty() ? 3 : 4));
    }
}

TEST_CASE("the page needs nothing from elsewhere, and its policy forbids it") {
    const std::string html = html_page(testing::drill());
    for (const std::string& attribute : read(html).attributes) {
        CAPTURE(attribute);
        const std::string name = attribute.substr(0, attribute.find('='));
        for (const char* loads : {"src", "href", "srcset", "data", "action", "style", "onload"})
            CHECK(name != loads);
    }
    CHECK_FALSE(contains(page_style, "url("));
    CHECK_FALSE(contains(page_style, "@import"));
    CHECK_FALSE(contains(page_script, "fetch"));
    CHECK(contains(html, "default-src 'none'; style-src '" + policy_hash(page_style) +
                             "'; script-src '" + policy_hash(page_script) + "'"));
}

TEST_CASE("hostile names stay text") {
    const std::string hostile = "\"><script>alert('x')</script><img src=\"//evil.test\" x='";
    Report report = testing::drill();
    report.url = "http://host/" + hostile;
    report.tool = report.protocol = report.started = report.grouped_by = hostile;
    report.groups[1] = report.drill->what = hostile;
    report.arguments = {hostile, "\x1b[2J\xFF"};
    report.methods = {hostile};
    const std::string html = html_page(report);
    const Page page = read(html);
    CHECK(page.trouble == "");
    CHECK(page.elements.at("script") == 1);
    CHECK(page.elements.count("img") == 0);
    CHECK(contains(html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    CHECK_FALSE(contains(html, "\x1b"));
    CHECK_FALSE(contains(html, "\xFF"));
}

TEST_CASE("the page holds the charts, the table and what marks the run") {
    Report report = testing::open_loop();
    report.total.unsent = 3;
    report.interrupted = true;
    const std::string html = html_page(report);
    for (const char* part :
         {"Latency over time", "Latency by percentile", "Throughput and status",
          "class=\"line p99\"", "class=\"bars s2\"", "class=\"bars s5\"", "class=\"line wanted\"",
          "class=\"line c-hit\"", "THE GENERATOR FELL BEHIND", "INTERRUPTED", "<td>POST</td>",
          "<td>status 503</td>", "<td>cache hit</td>", "uncorrected: from when it left",
          "unexpected_status"}) {
        CAPTURE(part);
        CHECK(contains(html, part));
    }
}

TEST_CASE("a drill is marked in the charts over time, with the share of each group") {
    const std::string html = html_page(testing::drill());
    CHECK(contains(html, "Share by x-pool"));
    CHECK(contains(html, "class=\"bars g0\""));
    std::size_t bands = 0;
    for (std::size_t at = html.find("class=\"band\""); at != html.npos;
         at = html.find("class=\"band\"", at + 1))
        ++bands;
    CHECK(bands == 3);
    CHECK(contains(html, "in flight on it then"));
}

TEST_CASE("a ramp has its steps, and the rate it wanted") {
    const std::string html = html_page(testing::ramp());
    CHECK(contains(html, "Steps of the ramp"));
    CHECK(contains(html, "<td>300/s</td><td>225/s</td>"));
    CHECK(contains(html, "class=\"line wanted\""));
}

TEST_CASE("more groups than colours share the last one") {
    Report report({"GET"}, 100ms);
    report.grouped_by = "x-node";
    report.groups = {"(none)"};
    for (std::uint8_t i = 1; i <= 20; ++i) {
        report.groups.push_back("node" + std::to_string(i));
        for (int k = 0; k < 30 - i; ++k)
            testing::count(report, {50ms, 1ms, 0ms, 200, {}, CacheResult::none, 0, i});
    }
    const std::string html = html_page(report);
    CHECK(contains(html, "class=\"bars g6\""));
    CHECK_FALSE(contains(html, "class=\"bars g7\""));
    CHECK(contains(html, "class=\"bars rest\""));
    CHECK(contains(html, "</i>others</span>"));
}

TEST_CASE("arguments can be typed again") {
    Report report = testing::drill();
    report.arguments = {"http://h/{n}", "-H", "X-A: it's", "--keys", "3", ""};
    const std::string html = html_page(report);
    CHECK(contains(html,
                   "scrollgate-bench &#39;http://h/{n}&#39; -H "
                   "&#39;X-A: it&#39;\\&#39;&#39;s&#39; --keys 3 &#39;&#39;"));
}
