#include "bench/drill/dead_man_switch.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scrollgate::bench {
namespace {

/// The child's life: until nobody holds the other end of `pipe` any more.
[[noreturn]] void wait_and_undo(int pipe, const std::function<void()>& undo) {
    ::setsid();
    char state = '0';
    while (true) {
        char next = 0;
        const ssize_t size = ::read(pipe, &next, 1);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        state = next;
    }
    if (state == '1') undo();
    ::_exit(0);
}

}  // namespace

DeadManSwitch::DeadManSwitch(const std::function<void()>& undo) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::system_category());
    child_ = ::fork();
    if (child_ == 0) {
        ::close(ends[1]);
        wait_and_undo(ends[0], undo);
    }
    const int error = errno;
    ::close(ends[0]);
    pipe_ = ends[1];
    if (child_ < 0) {
        ::close(pipe_);
        throw std::system_error(error, std::system_category(), "fork");
    }
}

DeadManSwitch::~DeadManSwitch() {
    disarm();
    ::close(pipe_);
    while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void DeadManSwitch::tell(char state) noexcept {
    while (::write(pipe_, &state, 1) < 0 && errno == EINTR) {
    }
}

}  // namespace scrollgate::bench
