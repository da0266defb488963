#include "proxy/caching/warm_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.hpp"

namespace scrollgate {
namespace {

std::string_view trimmed(std::string_view line) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = line.find_first_not_of(blanks);
    if (first == line.npos) return {};
    return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

std::string failure(const std::string& file, const char* what) {
    return fmt::format("{} cannot be {}: {}", file, what, std::strerror(errno));
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

}  // namespace

UrlFile read_url_file(const std::string& file) {
    UrlFile read;
    struct stat facts {};
    if (::stat(file.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
        read.error = fmt::format("{} is a folder", file);
        return read;
    }
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        read.error = failure(file, "read");
        return read;
    }
    std::string line;
    while (std::getline(in, line)) {
        const std::string_view url = trimmed(line);
        if (url.empty() || url.front() == '#') continue;
        if (read.urls.size() == limits::warm_urls) {
            read.error = fmt::format("{} holds more than {} URLs", file, limits::warm_urls);
            return read;
        }
        read.urls.emplace_back(url);
    }
    return read;
}

std::string write_url_file(const std::string& file, const std::vector<std::string>& urls) {
    const std::string draft = file + ".new";
    // What lies there, from a crash or laid by somebody else, is not written into.
    ::unlink(draft.c_str());
    const int fd =
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return failure(draft, "written");
    std::string text = "# URLs in most demand, the first the most. Written by scrollgate.\n";
    for (const std::string& url : urls)
        text += url + "\n";
    const bool written = write_all(fd, text) && ::fsync(fd) == 0;
    std::string wrong = written ? std::string() : failure(draft, "written");
    ::close(fd);
    if (wrong.empty() && ::rename(draft.c_str(), file.c_str()) != 0)
        wrong = failure(file, "replaced");
    if (!wrong.empty()) ::unlink(draft.c_str());
    return wrong;
}

}  // namespace scrollgate
