#include "bench/drill/proc_stat.hpp"

#include <fstream>
#include <sstream>

namespace scrollgate::bench {

std::optional<ProcStat> read_proc_stat(const std::string& path) {
    std::ifstream in(path);
    const std::string line{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const std::size_t name_end = line.rfind(')');  // names may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream rest(line.substr(name_end + 1));
    ProcStat stat;
    if (!(rest >> stat.state >> stat.parent)) return std::nullopt;
    return stat;
}

}  // namespace scrollgate::bench
