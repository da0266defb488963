// Interrupts: SIGINT and SIGTERM end a run, so that what was measured is printed.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace scrollgate::bench {

/// A thread of its own takes the signals. Make it before any other thread, so that all block them.
class Interrupts {
  public:
    Interrupts() {
        for (const int signal : {SIGINT, SIGTERM, SIGUSR1})
            ::sigaddset(&set_, signal);
        ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
        ::signal(SIGPIPE, SIG_IGN);
    }
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;
    ~Interrupts() {
        if (!thread_.joinable()) return;
        ::pthread_kill(thread_.native_handle(), SIGUSR1);  // ours, to end the thread
        thread_.join();
    }

    /// Calls `end` at the first signal, on the thread. Once.
    void watch(std::function<void()> end) {
        thread_ = std::thread([this, end = std::move(end)] {
            int signal = 0;
            if (::sigwait(&set_, &signal) == 0 && signal != SIGUSR1) end();
        });
    }

  private:
    sigset_t set_{};
    std::thread thread_;
};

}  // namespace scrollgate::bench
