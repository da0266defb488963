// What /proc/…/stat says of a process or a thread (proc(5)).
#pragma once

#include <optional>
#include <string>

namespace scrollgate::bench {

struct ProcStat {
    char state = 0;  ///< 'T' is stopped
    int parent = 0;  ///< its process id
};

/// Reads a file such as /proc/4711/stat; nothing if it is not there or not like that.
[[nodiscard]] std::optional<ProcStat> read_proc_stat(const std::string& path);

}  // namespace scrollgate::bench
