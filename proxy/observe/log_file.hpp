// LogFile: where log lines go. A file, a named pipe or standard output; never blocks in write().
//
// One thread at a time. A regular file is appended to, so that several processes and a rotation
// that copies and truncates are safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <sys/uio.h>

namespace scrollgate {

class LogFile {
  public:
    /// "-" is standard output. Made with mode 0640 if missing. Throws std::runtime_error with
    /// path and cause.
    explicit LogFile(const std::string& path);
    LogFile(LogFile&& other) noexcept;
    LogFile& operator=(LogFile&& other) noexcept;
    ~LogFile();

    struct Written {
        std::size_t bytes = 0;
        int error = 0;  ///< errno; EAGAIN: wait until descriptor() is writable
    };
    /// Writes as much of `pieces` as goes at once.
    [[nodiscard]] Written write_some(std::span<const iovec> pieces) noexcept;
    [[nodiscard]] int descriptor() const noexcept { return fd_; }

  private:
    int fd_ = -1;
    bool may_block_ = false;  // a terminal or socket that others share: ask before each write
};

}  // namespace scrollgate
