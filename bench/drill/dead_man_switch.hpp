// DeadManSwitch: what we broke is mended even if this process is killed before it could.
#pragma once

#include <functional>

#include <sys/types.h>

namespace scrollgate::bench {

class DeadManSwitch {
  public:
    /// Forks a child that waits for this process to end, by whatever, and then calls `undo` if the
    /// switch is armed. The child is in a session of its own, so that Ctrl-C spares it. Make it
    /// before any thread. Throws std::system_error.
    explicit DeadManSwitch(const std::function<void()>& undo);
    /// Disarms, and ends the child.
    ~DeadManSwitch();
    DeadManSwitch(const DeadManSwitch&) = delete;
    DeadManSwitch& operator=(const DeadManSwitch&) = delete;

    void arm() noexcept { tell('1'); }
    void disarm() noexcept { tell('0'); }

  private:
    void tell(char state) noexcept;

    int pipe_ = -1;
    pid_t child_ = 0;
};

}  // namespace scrollgate::bench
