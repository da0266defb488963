#include "bench/drill/processes.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <unistd.h>
extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to say that these are C
}

#include "bench/drill/dead_man_switch.hpp"
#include "bench/drill/kernel_sockets.hpp"
#include "bench/drill/look.hpp"
#include "bench/drill/proc_stat.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

/// A process by a handle: nobody else gets our signals if it ends and its number is used again.
class Process {
  public:
    explicit Process(int pid) : pid_(pid) {
        if (pid <= 1 || pid == ::getpid())
            throw BadInput(fmt::format("{}: not a process to break", pid));
        fd_ = ::pidfd_open(pid, 0);
        if (fd_ < 0) throw BadInput(fmt::format("process {}: {}", pid, std::strerror(errno)));
        if (::pidfd_send_signal(fd_, 0, nullptr, 0) != 0) {
            const int why = errno;
            ::close(fd_);
            throw BadInput(fmt::format("process {}: {}", pid, std::strerror(why)));
        }
    }
    ~Process() { ::close(fd_); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] int pid() const noexcept { return pid_; }
    /// 0, or why not (errno).
    [[nodiscard]] int signal(int number) const noexcept {
        return ::pidfd_send_signal(fd_, number, nullptr, 0) == 0 ? 0 : errno;
    }

    /// Whether all of its threads have come to a halt.
    [[nodiscard]] bool halted() const {
        std::error_code error;
        for (const auto& task :
             std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_), error)) {
            const std::optional<ProcStat> stat = read_proc_stat(task.path() / "stat");
            if (stat && stat->state != 'T') return false;
        }
        return true;
    }

  private:
    const int pid_;
    int fd_ = -1;
};

class ProcessBreakage final : public Breakage {
  public:
    ProcessBreakage(int pid, bool kill)
        : process_(pid),
          kernel_(pid),
          kill_(kill),
          switch_([this] { (void)process_.signal(SIGCONT); }) {
        if (listen_addresses(kernel_, pid).empty())
            throw BadInput(
                fmt::format("process {} listens on no TCP port (of nginx, name a worker; "
                            "of others' processes only root sees the ports)",
                            pid));
    }
    ~ProcessBreakage() override { (void)mend(); }

    std::string what() const override {
        return fmt::format("{} {}", kill_ ? "kill" : "stop", process_.pid());
    }

    // Stopped first in both cases: what it was working on stays so, what arrives stays unread, and
    // the kernel can be asked for both.
    std::uint64_t strike() override {
        const auto addresses = listen_addresses(kernel_, process_.pid());
        switch_.arm();
        stopped_ = true;
        send(SIGSTOP);
        const std::uint64_t found = look_for_requests([&]() -> std::uint64_t {
            return process_.halted() ? requests_on(kernel_, process_.pid(), addresses) : 0;
        });
        if (kill_) {
            send(SIGKILL);
            stopped_ = false;
        }
        return found;
    }

    bool mend() noexcept override {
        if (stopped_) (void)process_.signal(SIGCONT);
        stopped_ = false;
        switch_.disarm();
        return !kill_;
    }

  private:
    void send(int number) const {
        const int why = process_.signal(number);
        if (why != 0)
            throw std::runtime_error(
                fmt::format("process {}: {}", process_.pid(), std::strerror(why)));
    }

    const Process process_;
    const KernelSockets kernel_;
    const bool kill_;
    DeadManSwitch switch_;
    bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Breakage> make_kill(int pid) {
    return std::make_unique<ProcessBreakage>(pid, true);
}

std::unique_ptr<Breakage> make_stop(int pid) {
    return std::make_unique<ProcessBreakage>(pid, false);
}

}  // namespace scrollgate::bench
