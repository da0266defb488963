#include "proxy/observe/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace scrollgate {
namespace {

constexpr int open_flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// Standard output is shared with other processes, so its O_NONBLOCK is not ours to set: a pipe is
// opened anew instead, with flags of its own.
int open_standard_output() {
    struct stat status {};
    if (fstat(STDOUT_FILENO, &status) == 0 && S_ISFIFO(status.st_mode)) {
        const int own = open("/proc/self/fd/1", open_flags);
        if (own >= 0) return own;
    }
    return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

}  // namespace

LogFile::LogFile(const std::string& path) {
    fd_ = path == "-" ? open_standard_output() : open(path.c_str(), open_flags | O_CREAT, 0640);
    if (fd_ < 0) {
        const int cause = errno;
        std::string text = "cannot open the access log " + path + ": " +
                           std::error_code(cause, std::generic_category()).message();
        if (cause == ENXIO) text += " (a named pipe that nobody reads)";
        throw std::runtime_error(text);
    }
    struct stat status {};
    const bool regular = fstat(fd_, &status) == 0 && S_ISREG(status.st_mode);
    may_block_ = !regular && (fcntl(fd_, F_GETFL) & O_NONBLOCK) == 0;
}

LogFile::LogFile(LogFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), may_block_(other.may_block_) {}

LogFile& LogFile::operator=(LogFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(may_block_, other.may_block_);
    return *this;
}

LogFile::~LogFile() {
    if (fd_ >= 0) close(fd_);
}

LogFile::Written LogFile::write_some(std::span<const iovec> pieces) noexcept {
    iovec small{};
    if (may_block_) {
        // Writable means room for PIPE_BUF bytes: so many go without blocking.
        pollfd ready{fd_, POLLOUT, 0};
        if (poll(&ready, 1, 0) == 0) return {0, EAGAIN};
        small = {pieces.front().iov_base, std::min<std::size_t>(pieces.front().iov_len, PIPE_BUF)};
        pieces = {&small, 1};
    }
    const auto count = static_cast<int>(std::min<std::size_t>(pieces.size(), IOV_MAX));
    while (true) {
        const ssize_t written = writev(fd_, pieces.data(), count);
        if (written >= 0) return {static_cast<std::size_t>(written), 0};
        if (errno != EINTR) return {0, errno == EWOULDBLOCK ? EAGAIN : errno};
    }
}

}  // namespace scrollgate
