// scrollgate-bench: reads the command line, runs the load, writes what came out.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

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
#include "core/limits.hpp"
#include "core/process_limits.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::bench;

constexpr int exit_failed = 1, exit_bad_input = 2, exit_interrupted = 130;

/// On standard error. Nobody has to read it.
void say(const std::string& line) {
    std::fputs(("scrollgate-bench: " + line + "\n").c_str(), stderr);
}

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
        say(fmt::format("--fail-if {}: {}", condition.text(), condition.measured(report)));
        code = exit_failed;
    }
    return code;
}

/// 0, or 1 if the drill did not happen or hit nothing: then it has proved nothing.
int judge(const Drill& drill, const Report& report) {
    if (report.drill && report.drill->in_flight > 0) return 0;
    say(report.drill              ? "drill: no request was on the victim: nothing was tried"
        : drill.trouble().empty() ? "drill: the run ended before it"
                                  : "drill: " + drill.trouble());
    return exit_failed;
}

Report measure(const Options& options, const Dial& dial, bool stdout_taken,
               std::optional<Drill>& drill) {
    Load load(options.plan, dial);
    Interrupts interrupts;  // ends before the load that it stops
    interrupts.watch([&load] { load.stop(); });
    // A picture could be drawn on standard output, if only that is a terminal.
    const bool plain = options.plain || (stdout_taken && !is_terminal(stderr));
    Screen screen(options.plan, plain, options.quiet);
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

/// Lets this process open a descriptor per connection, or says why it cannot. Throws BadInput.
void make_room(const Plan& plan) {
    constexpr std::uint64_t per_worker = 4;  // epoll, timer, wake-up, and one to spare
    const std::uint64_t needed =
        plan.connections + plan.workers * per_worker + limits::reserved_descriptors;
    const std::uint64_t granted = raise_descriptor_limit();
    if (granted < needed)
        throw BadInput(
            fmt::format("-c {}: that takes {} descriptors, and this process may open {} (ulimit "
                        "-n, as a hard limit)",
                        plan.connections, needed, granted));
}

/// Where results go.
struct Outputs {
    explicit Outputs(const Options& options) : json(options.json), html(options.html) {}
    [[nodiscard]] bool take_stdout() const { return json.on_stdout() || html.on_stdout(); }
    const OutputFile json, html;
};

/// Writes all of them: 0, or 1 if one was lost.
int write_results(const Outputs& outputs, const Report& report, bool plain) {
    // Whoever has what he wanted of the table, as head(1), is not told that the rest was lost.
    std::FILE* const place = outputs.take_stdout() ? stderr : stdout;
    const int error = write_all(place, table_text(report, !plain && wants_colours(place)));
    std::vector<std::string> troubles;
    if (error != 0 && error != EPIPE)
        troubles.push_back(fmt::format("cannot write the table: {}", std::strerror(error)));
    if (outputs.json.wanted()) troubles.push_back(outputs.json.write(json_text(report)));
    if (outputs.html.wanted()) troubles.push_back(outputs.html.write(html_page(report)));
    std::erase(troubles, "");
    for (const std::string& trouble : troubles)
        say(trouble);
    return troubles.empty() ? 0 : exit_failed;
}

int run(const std::vector<std::string>& arguments) {
    const Options options = parse_options(arguments);
    const std::vector<Condition> conditions = conditions_from(options.fail_if);
    make_room(options.plan);
    const Outputs outputs(options);
    const Dial dial = dial_for(options.plan);
    std::optional<Drill> drill;
    if (options.drill)
        drill.emplace(make_breakage(*options.drill), *options.plan.strike, options.drill->length);
    for (const std::string& note : options.notes)
        say(note);

    Report report = measure(options, dial, outputs.take_stdout(), drill);
    report.arguments = arguments;
    int code = write_results(outputs, report, options.plain);
    code = std::max({code, judge(conditions, report), drill ? judge(*drill, report) : 0});
    return report.interrupted ? exit_interrupted : code;
}

/// --help and --version: the exit code.
int print(const std::string& text) {
    const int error = write_all(stdout, text);
    if (error == 0) return 0;
    say(fmt::format("cannot write standard output: {}", std::strerror(error)));
    return exit_failed;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const Finished& finished) {
        return print(finished.text);
    } catch (const std::exception& error) {
        say(error.what());
        return exit_bad_input;
    }
}
