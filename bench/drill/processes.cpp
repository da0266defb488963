#include "bench/drill/processes.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

#include "bench/drill/kernel_sockets.hpp"
#include "bench/drill/look.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

class ProcessBreakage final : public Breakage {
  public:
    ProcessBreakage(int pid, bool kill) : pid_(pid), kill_(kill) {
        if (pid <= 1 || pid == ::getpid())
            throw BadInput(fmt::format("{}: not a process to break", pid));
        if (::kill(pid, 0) != 0)
            throw BadInput(fmt::format("process {}: {}", pid, std::strerror(errno)));
        if (listening_ports(pid).empty())
            throw BadInput(
                fmt::format("process {} listens on no TCP port (of nginx, name a worker; "
                            "of others' processes only root sees the ports)",
                            pid));
    }
    ~ProcessBreakage() override { (void)mend(); }

    std::string what() const override {
        return fmt::format("{} {}", kill_ ? "kill" : "stop", pid_);
    }

    // Stopped first in both cases: then what arrives stays where the kernel can be asked for it.
    std::uint64_t strike() override {
        const auto ports = listening_ports(pid_);
        if (::kill(pid_, SIGSTOP) != 0)
            throw std::runtime_error(fmt::format("process {}: {}", pid_, std::strerror(errno)));
        stopped_ = true;
        const std::uint64_t found =
            look_for_requests([&] { return unread_connections(pid_, ports); });
        if (kill_) {
            ::kill(pid_, SIGKILL);
            stopped_ = false;
        }
        return found;
    }

    bool mend() noexcept override {
        if (kill_) return false;
        if (stopped_) ::kill(pid_, SIGCONT);
        stopped_ = false;
        return true;
    }

  private:
    const int pid_;
    const bool kill_;
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
