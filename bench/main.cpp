// scrollgate-bench: reads the command line, runs the load, writes what came out.
#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/load/load.hpp"
#include "bench/plan/options.hpp"
#include "bench/plan/url.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::bench;

constexpr int exit_bad_input = 2;

/// SIGINT and SIGTERM, taken by a thread of their own: the first ends the run, so that its figures
/// are printed.
class Interrupts {
  public:
    Interrupts() {
        ::sigemptyset(&set_);
        ::sigaddset(&set_, SIGINT);
        ::sigaddset(&set_, SIGTERM);
        ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }
    void watch(Load& load) {
        thread_ = std::thread([this, &load] {
            int signal = 0;
            if (::sigwait(&set_, &signal) == 0 && signal == SIGINT) load.stop();
        });
    }
    ~Interrupts() {
        if (!thread_.joinable()) return;
        ::pthread_kill(thread_.native_handle(), SIGTERM);
        thread_.join();
    }

  private:
    sigset_t set_{};
    std::thread thread_;
};

int run(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const Options options = parse_options(arguments);
    const Dial dial = dial_for(options.plan);
    Load load(options.plan, dial);
    Report report = load.run(nullptr, 4);
    fmt::print("{} requests, {:.0f}/s, p50 {} us, p99 {} us, failed {}\n", report.total.requests,
               report.achieved_rate(), report.total.latency.at(0.5).count() / 1000,
               report.total.latency.at(0.99).count() / 1000, report.total.failed());
    return 0;
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
