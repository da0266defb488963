// A metrics page as tests look at it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

namespace scrollgate::test {

// The page holds exactly this line.
inline bool has(const std::string& page, const std::string& line) {
    return ("\n" + page).find("\n" + line + "\n") != std::string::npos;
}

// What promtool says about a page; empty if it has nothing to say.
inline std::string lint(const std::string& page) {
    char name[] = "/tmp/metrics_XXXXXX";
    const int file = mkstemp(name);
    REQUIRE(file >= 0);
    REQUIRE(write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()));
    close(file);
    const std::string command = std::string("promtool check metrics < ") + name + " 2>&1";
    FILE* tool = popen(command.c_str(), "r");
    REQUIRE(tool != nullptr);
    std::string said;
    char bytes[4096];
    while (const std::size_t n = fread(bytes, 1, sizeof bytes, tool))
        said.append(bytes, n);
    const int status = pclose(tool);
    unlink(name);
    if (status != 0 && said.empty()) said = "promtool failed";
    return said;
}

}  // namespace scrollgate::test
