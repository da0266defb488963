// scrollgate-bench: reads the command line, runs the load, writes what came out.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/drill/drill.hpp"
#include "bench/load/interrupts.hpp"
#include "bench/load/load.hpp"
#include "bench/plan/options.hpp"
#include "bench/plan/url.hpp"
#include "bench/report/conditions.hpp"
#include "bench/report/html.hpp"
#include "bench/report/json.hpp"
#include "bench/report/output_file.hpp"
#include "bench/report/table.hpp"
#include "bench/view/screen.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::bench;

constexpr int exit_failed = 1, exit_bad_input = 2, exit_interrupted = 130;

std::vector<Condition> conditions_from(const std::vector<std::string>& texts) {
    std::vector<Condition> conditions;
    for (const std::string& text : texts) {
        ParsedCondition parsed = Condition::parse(text);
        if (!parsed.condition) throw BadInput("--fail-if: " + parsed.problem);
        conditions.push_back(*parsed.condition);
    }
    return conditions;
}

/// 0, or 1 if a condition came true.
int judge(const std::vector<Condition>& conditions, const Report& report) {
    int code = 0;
    for (const Condition& condition : conditions) {
        if (!condition.holds(report)) continue;
        fmt::print(stderr, "scrollgate-bench: --fail-if {}: {}\n", condition.text(),
                   condition.measured(report));
        code = exit_failed;
    }
    return code;
}

/// 0, or 1 if the drill did not happen or hit nothing: then it has proved nothing.
int judge(const Drill& drill, const Report& report) {
    if (report.drill && report.drill->in_flight > 0) return 0;
    fmt::print(stderr, "scrollgate-bench: drill: {}\n",
               report.drill              ? "no request was on the victim: nothing was tried"
               : drill.trouble().empty() ? "the run ended before it"
                                         : drill.trouble().c_str());
    return exit_failed;
}

Report measure(const Options& options, const Dial& dial, std::optional<Drill>& drill) {
    Load load(options.plan, dial);
    Interrupts interrupts;  // ends before the load that it stops
    interrupts.watch([&load] { load.stop(); });
    Screen screen(options.plan, Screen::kind_for(options.plain, options.quiet));
    if (drill) drill->start();
    Report report = load.run(
        [&](const Progress& progress) { screen.show(progress, drill ? drill->note() : ""); },
        screen.per_second());
    if (drill) {
        drill->finish();
        report.drill = drill->result(report);
    }
    return report;
}

int run(const std::vector<std::string>& arguments) {
    const Options options = parse_options(arguments);
    const std::vector<Condition> conditions = conditions_from(options.fail_if);
    const OutputFile json(options.json), html(options.html);
    const Dial dial = dial_for(options.plan);
    std::optional<Drill> drill;
    if (options.drill)
        drill.emplace(make_breakage(*options.drill), *options.plan.strike, options.drill->length);
    for (const std::string& note : options.notes)
        fmt::print(stderr, "scrollgate-bench: {}\n", note);

    Report report = measure(options, dial, drill);
    report.arguments = arguments;
    fmt::print("{}", table_text(report, ::isatty(STDOUT_FILENO) != 0));
    std::fflush(stdout);
    if (json.wanted()) json.write(json_text(report));
    if (html.wanted()) html.write(html_page(report));
    const int code = std::max(judge(conditions, report), drill ? judge(*drill, report) : 0);
    return report.interrupted ? exit_interrupted : code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const Finished& finished) {
        fmt::print("{}", finished.text);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "scrollgate-bench: {}\n", error.what());
        return exit_bad_input;
    }
}
