#include "bench/drill/network_namespace.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "bench/drill/proc_stat.hpp"
#include "bench/plan/url.hpp"

namespace scrollgate::bench {
namespace {

std::string path_of(int pid) {
    return fmt::format("/proc/{}/ns/net", pid);
}

/// "net:[4026531840]"; empty if it cannot be seen.
std::string identity(const std::string& path) {
    std::error_code error;
    return std::filesystem::read_symlink(path, error).string();
}

/// 0 at the top, or if it cannot be seen.
int parent_of(int pid) {
    return read_proc_stat(fmt::format("/proc/{}/stat", pid)).value_or(ProcStat()).parent;
}

int open_namespace(const std::string& path) {
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

/// A thread's way home: nothing else may run on it in the wrong namespace.
struct Home {
    ~Home() {
        if (::setns(fd, CLONE_NEWNET) != 0) std::terminate();
        ::close(fd);
    }
    const int fd;
};

}  // namespace

NetworkNamespace::NetworkNamespace(int pid) : pid_(pid), fd_(open_namespace(path_of(pid))) {
    if (fd_ < 0)
        throw BadInput(fmt::format("process {}: cannot see its network namespace: {}", pid,
                                   std::strerror(errno)));
}

NetworkNamespace::~NetworkNamespace() {
    ::close(fd_);
}

bool NetworkNamespace::is_made_for_it() const {
    const std::string space = identity(path_of(pid_));
    for (int above = pid_; above > 0; above = parent_of(above)) {
        const std::string theirs = identity(path_of(above));
        if (!theirs.empty() && theirs != space) return true;
    }
    return false;
}

void NetworkNamespace::inside(const std::function<void()>& work) const {
    const std::string ours = "/proc/thread-self/ns/net";
    if (identity(ours) == identity(fmt::format("/proc/self/fd/{}", fd_))) return work();
    const int home = open_namespace(ours);
    if (home < 0 || ::setns(fd_, CLONE_NEWNET) != 0) {
        const int why = errno;
        if (home >= 0) ::close(home);
        throw BadInput(fmt::format("process {}: cannot enter its network namespace: {}", pid_,
                                   std::strerror(why)));
    }
    const Home way_back{home};
    work();
}

}  // namespace scrollgate::bench
