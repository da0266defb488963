#include "proxy/observe/process_facts.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

namespace scrollgate {
namespace {

// Seconds since the epoch at which the machine started.
double boot_time() {
    std::ifstream in("/proc/stat");
    std::string key;
    while (in >> key) {
        double value = 0;
        if (key == "btime" && in >> value) return value;
        std::getline(in, key);
    }
    return 0;
}

// The fields of /proc/self/stat behind the name, which may itself hold spaces: proc(5), from the
// third on.
void read_stat(ProcessFacts& facts) {
    std::ifstream in("/proc/self/stat");
    std::string line;
    std::getline(in, line);
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) return;
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int i = 3; i < 14; ++i)
        fields >> skipped;
    double user = 0, system = 0, started = 0, resident_pages = 0;
    fields >> user >> system;  // 14, 15
    for (int i = 16; i < 22; ++i)
        fields >> skipped;
    fields >> started >> facts.virtual_bytes >> resident_pages;  // 22, 23, 24
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    facts.cpu_seconds = (user + system) / ticks;
    facts.start_time_seconds = boot_time() + started / ticks;
    facts.resident_bytes = static_cast<std::uint64_t>(resident_pages) *
                           static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

ProcessFacts read_process_facts() {
    ProcessFacts facts;
    read_stat(facts);
    std::error_code ignored;
    const std::filesystem::directory_iterator end;
    for (std::filesystem::directory_iterator at("/proc/self/fd", ignored); !ignored && at != end;
         at.increment(ignored)) {
        ++facts.open_descriptors;
    }
    if (facts.open_descriptors > 0) --facts.open_descriptors;  // the one that counted
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_descriptors = limit.rlim_cur;
    return facts;
}

}  // namespace scrollgate
