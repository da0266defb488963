#include "bench/report/html.hpp"

#include <fmt/format.h>

#include "bench/report/duration_text.hpp"
#include "bench/report/markup.hpp"
#include "bench/report/page_assets.hpp"
#include "bench/report/run_charts.hpp"
#include "bench/report/summary.hpp"

namespace scrollgate::bench {
namespace {

std::string head(const Summary& summary) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<title>{} – {}</title>\n<style>{}</style>\n</head>\n",
        policy_hash(page_style), policy_hash(page_script), escaped(summary.url),
        escaped(summary.tool), page_style);
}

std::string cards(const Report& report) {
    std::string out = "<div class=\"cards\">\n";
    const auto card = [&](std::string_view name, const std::string& figure, bool bad = false) {
        out += fmt::format("<div class=\"card{}\"><b>{}</b><span>{}</span></div>\n",
                           bad ? " bad" : "", escaped(figure), escaped(name));
    };
    const Tally& total = report.total;
    const auto latency = [&](Duration value) {
        return total.completed() == 0 ? std::string("-") : duration_text(value);
    };
    card("responses", rate_text(report.achieved_rate()));
    card("p50", latency(total.latency.at(0.5)));
    card("p99", latency(total.latency.at(0.99)));
    card("p99.9", latency(total.latency.at(0.999)));
    card("max", latency(total.latency.max()));
    card(fmt::format("failed of {}", count_text(total.requests)), count_text(total.failed()),
         total.failed() > 0);
    std::uint64_t hits = 0, seen = 0;
    for (const auto& [result, histogram] : total.by_cache) {
        if (result != CacheResult::none) seen += histogram.count();
        if (result == CacheResult::hit) hits = histogram.count();
    }
    if (seen > 0) card("cache hits", share_text(hits, total.completed()));
    return out + "</div>\n";
}

std::string facts(const std::vector<Fact>& facts) {
    std::string out = "<dl>\n";
    for (const Fact& fact : facts)
        out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(fact.name), escaped(fact.value));
    return out + "</dl>\n";
}

std::string row(const std::string& name, const std::vector<std::string>& cells,
                std::string_view cell = "td", std::string_view attributes = "") {
    std::string out = fmt::format("<tr{}><{}>{}</{}>", attributes, cell, escaped(name), cell);
    for (const std::string& text : cells)
        out += fmt::format("<{}>{}</{}>", cell, escaped(text), cell);
    return out + "</tr>\n";
}

std::string latency_table(const Summary& summary) {
    std::string rows;
    for (std::size_t i = 0; i < summary.latency.size(); ++i) {
        const LatencyRow& latency = summary.latency[i];
        const bool first = i > 0 && latency.about != summary.latency[i - 1].about;
        rows += row(latency.name, latency_cells(*latency.histogram), "td",
                    first ? " class=\"first\"" : "");
    }
    return fmt::format(
        "<section>\n<h2>Latency</h2>\n<div class=\"scroll\"><table class=\"wide\">\n<thead>{}"
        "</thead>\n<tbody>\n{}</tbody></table></div>\n<p class=\"reading\">{}</p>\n</section>\n",
        row("", latency_columns(), "th"), rows, escaped(summary.about_latency));
}

std::string step_table(const Summary& summary) {
    if (summary.steps.empty()) return {};
    std::string rows;
    for (const StepRow& step : summary.steps)
        rows += row(step.name, step.cells);
    return fmt::format(
        "<section>\n<h2>Steps of the ramp</h2>\n<div class=\"scroll\"><table><thead>{}</thead>\n"
        "<tbody>\n{}</tbody></table></div>\n</section>\n",
        row("wanted", step_columns(), "th"), rows);
}

std::string failure_section(const Summary& summary) {
    if (summary.failures.empty()) return {};
    std::string rows;
    for (const FailureRow& failure : summary.failures)
        rows += row(failure.name, {count_text(failure.count)});
    return fmt::format(
        "<section>\n<h2>Failed</h2><p class=\"about\">{}</p>\n<table><tbody>\n{}</tbody></table>\n"
        "</section>\n",
        escaped(summary.failed), rows);
}

std::string drill_section(const Summary& summary) {
    if (summary.drill.empty()) return {};
    std::string rows;
    for (const DrillRow& method : summary.drill_methods)
        rows += row(method.name, method.cells);
    if (!rows.empty())
        rows = fmt::format(
            "<div class=\"scroll\"><table><thead>{}</thead>\n<tbody>\n{}</tbody></table></div>\n",
            row("From then on", drill_columns(), "th"), rows);
    return "<section>\n<h2>Drill</h2>\n" + facts(summary.drill) + rows + "</section>\n";
}

std::string share_table(const Summary& summary) {
    if (summary.shares.empty()) return {};
    const bool drilled = !summary.drill.empty();
    std::vector<std::string> header = {"responses", "share"};
    if (drilled) header.insert(header.end(), {"before", "during", "after"});
    std::string rows;
    for (const ShareRow& share : summary.shares) {
        std::vector<std::string> cells = {count_text(share.count), share_cell(share.share)};
        if (drilled)
            cells.insert(cells.end(), {share_cell(share.before), share_cell(share.during),
                                       share_cell(share.after)});
        rows += row(share.name, cells);
    }
    return fmt::format(
        "<section>\n<h2>By {}</h2>\n<div class=\"scroll\"><table><thead>{}</thead>\n<tbody>\n{}"
        "</tbody></table></div>\n</section>\n",
        escaped(summary.grouped_by), row("", header, "th"), rows);
}

std::string marks(const Summary& summary) {
    if (summary.marks.empty()) return {};
    std::string out = "<section class=\"mark\">\n";
    for (const std::string& mark : summary.marks)
        out += fmt::format("<p>{}</p>\n", escaped(mark));
    return out + "</section>\n";
}

/// As it could be typed into a shell again.
std::string shell_word(const std::string& argument) {
    constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
    if (!argument.empty() && argument.find_first_not_of(plain) == argument.npos) return argument;
    std::string out = "'";
    for (const char c : argument)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string footer(const Report& report) {
    std::string line;
    for (const std::string& argument : report.arguments)
        line += (line.empty() ? "" : " ") + shell_word(argument);
    return fmt::format("<footer><p><code>scrollgate-bench {}</code></p></footer>\n", escaped(line));
}

}  // namespace

std::string html_page(const Report& report) {
    const Summary summary = summarise(report);
    std::string page = head(summary);
    page += "<body>\n<main>\n";
    page += fmt::format("<header><h1>{}</h1><p>{}, {}</p></header>\n", escaped(summary.url),
                        escaped(summary.tool), escaped(report.started));
    page += marks(summary);
    page += cards(report);
    page += "<div class=\"pair\">\n<section>\n<h2>Run</h2>\n" + facts(summary.run) + "</section>\n";
    page += drill_section(summary) + "</div>\n";
    page += latency_section(report);
    page += status_section(report);
    page += group_section(report);
    page += percentile_section(report);
    page += latency_table(summary);
    page += "<div class=\"pair\">\n" + step_table(summary) + share_table(summary) +
            failure_section(summary) + "</div>\n";
    page += footer(report);
    page += "</main>\n<div id=\"tip\"></div>\n";
    page += fmt::format("<script>{}</script>\n</body>\n</html>\n", page_script);
    return page;
}

}  // namespace scrollgate::bench
