// scrollgate-bench: reads the command line, runs the load, writes what came out.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/drill/drill.hpp"
#include "bench/load/load.hpp"
#include "bench/plan/options.hpp"
#include "bench/plan/url.hpp"
#include "bench/report/conditions.hpp"
#include "bench/report/json.hpp"
#include "bench/report/table.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::bench;

constexpr int exit_failed = 1, exit_bad_input = 2, exit_interrupted = 130;

/// SIGINT and SIGTERM, taken by a thread of their own: they end the run, so that what was measured
/// is printed.
class Interrupts {
  public:
    /// Before any other thread is made, so that all block them.
    Interrupts() {
        for (const int signal : {SIGINT, SIGTERM, SIGUSR1})
            ::sigaddset(&set_, signal);
        ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }
    void watch(Load& load) {
        thread_ = std::thread([this, &load] {
            int signal = 0;
            if (::sigwait(&set_, &signal) == 0 && signal != SIGUSR1) load.stop();
        });
    }
    ~Interrupts() {
        if (!thread_.joinable()) return;
        ::pthread_kill(thread_.native_handle(), SIGUSR1);
        thread_.join();
    }

  private:
    sigset_t set_{};
    std::thread thread_;
};

std::vector<Condition> conditions_from(const std::vector<std::string>& texts) {
    std::vector<Condition> conditions;
    for (const std::string& text : texts) {
        ParsedCondition parsed = Condition::parse(text);
        if (!parsed.condition) throw BadInput("--fail-if: " + parsed.problem);
        conditions.push_back(*parsed.condition);
    }
    return conditions;
}

/// A file that is opened before the run, so that nobody waits ten minutes for a wrong folder.
class OutputFile {
  public:
    explicit OutputFile(const std::string& name) : name_(name) {
        if (name.empty()) return;
        file_ = std::fopen(name.c_str(), "wb");
        if (file_ == nullptr) throw BadInput(trouble());
    }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile() {
        if (file_ != nullptr) std::fclose(file_);
    }
    [[nodiscard]] bool wanted() const noexcept { return file_ != nullptr; }
    void write(const std::string& text) const {
        const bool whole = std::fwrite(text.data(), 1, text.size(), file_) == text.size();
        if (!whole || std::fflush(file_) != 0) throw BadInput(trouble());
    }

  private:
    [[nodiscard]] std::string trouble() const {
        return fmt::format("cannot write {}: {}", name_, std::strerror(errno));
    }

    const std::string name_;
    std::FILE* file_ = nullptr;
};

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
int judge_drill(const Drill& drill, const Report& report) {
    if (report.drill && report.drill->in_flight > 0) return 0;
    fmt::print(stderr, "scrollgate-bench: drill: {}\n",
               report.drill              ? "no request was on the victim: nothing was tried"
               : drill.trouble().empty() ? "the run ended before it"
                                         : drill.trouble().c_str());
    return exit_failed;
}

int run(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const Options options = parse_options(arguments);
    const std::vector<Condition> conditions = conditions_from(options.fail_if);
    const OutputFile json(options.json), html(options.html);
    const Dial dial = dial_for(options.plan);
    std::optional<Drill> drill;
    if (options.drill)
        drill.emplace(make_breakage(options.drill->victim), options.drill->at,
                      options.drill->victim.length);
    for (const std::string& note : options.notes)
        fmt::print(stderr, "scrollgate-bench: {}\n", note);

    Interrupts interrupts;
    Load load(options.plan, dial);
    interrupts.watch(load);
    if (drill) drill->start();
    Report report = load.run([](const Progress&) {}, 1);
    report.arguments = arguments;
    if (drill) {
        drill->finish();
        report.drill = drill->result(report);
    }

    fmt::print("{}", table_text(report, ::isatty(STDOUT_FILENO) != 0));
    std::fflush(stdout);
    if (json.wanted()) json.write(json_text(report));

    int code = judge(conditions, report);
    if (drill) code = std::max(code, judge_drill(*drill, report));
    return report.interrupted ? exit_interrupted : code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const Finished& finished) {
        fmt::print("{}", finished.text);
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "scrollgate-bench: {}\n", error.what());
        return exit_bad_input;
    }
}
