#include "bench/drill/command.hpp"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace scrollgate::bench {
namespace {

/// A pipe whose ends are closed when it goes.
struct Pipe {
    Pipe() {
        if (::pipe2(ends, O_CLOEXEC) != 0) ends[0] = ends[1] = -1;
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    void close(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
    int ends[2];  ///< to read from, to write to
};

/// The first line of all that comes.
std::string first_line(int from) {
    std::string text;
    std::array<char, 4096> block{};
    while (true) {
        const ssize_t size = ::read(from, block.data(), block.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) break;
        if (text.size() < block.size()) text.append(block.data(), static_cast<std::size_t>(size));
    }
    return text.substr(0, text.find('\n'));
}

}  // namespace

std::string run_command(const std::vector<const char*>& words, const std::string& input) {
    assert(input.size() <= 4096);  // a pipe takes that much before anybody reads
    Pipe in, complaints;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.ends[0], STDIN_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, complaints.ends[1], STDERR_FILENO);
    std::vector<char*> arguments;
    for (const char* word : words)
        arguments.push_back(const_cast<char*>(word));
    arguments.push_back(nullptr);
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, words.front(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return fmt::format("{}: {}", words.front(), std::strerror(error));
    in.close(0);
    complaints.close(1);
    const bool written =
        ::write(in.ends[1], input.data(), input.size()) == static_cast<ssize_t>(input.size());
    in.close(1);
    const std::string complaint = first_line(complaints.ends[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && written) return {};
    return complaint.empty() ? fmt::format("{} failed", words.front()) : complaint;
}

}  // namespace scrollgate::bench
