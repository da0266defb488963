// Every file in tests/golden/config against the exact messages beside it, and the promises that
// hold for any file: accepted ones read back from their effective form.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/loader.hpp"

namespace scrollgate::config {
namespace {

namespace fs = std::filesystem;

const fs::path root = SCROLLGATE_SOURCE_DIR;

std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

std::vector<fs::path> yaml_files(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// The problems as `check` prints them, and "ok" if it would say so.
std::string verdict(const Loaded& loaded, const std::string& name) {
    std::string out;
    for (const Problem& problem : loaded.problems)
        out += to_text(problem, name) + "\n";
    return loaded.ok() ? out + "ok\n" : out;
}

void check_round_trip(const Config& config) {
    const std::string effective = effective_yaml(config);
    const Loaded again = load_text(effective);
    for (const Problem& problem : again.problems)
        CHECK_MESSAGE(problem.severity == Problem::Severity::warning,
                      to_text(problem, "effective.yaml"));
    REQUIRE(again.ok());
    CHECK(effective_yaml(again.config) == effective);
}

}  // namespace

TEST_CASE("every golden file is judged in exactly the words beside it") {
    unsetenv("SCROLLGATE_UNSET_IN_TESTS");
    const std::vector<fs::path> files = yaml_files(root / "tests/golden/config");
    CHECK(files.size() >= 50);
    for (const fs::path& file : files) {
        CAPTURE(file.filename().string());
        fs::path expected = file;
        expected.replace_extension(".expected");
        REQUIRE(fs::exists(expected));
        const Loaded loaded = load_file(file.string());
        CHECK(verdict(loaded, file.filename().string()) == content(expected));
        if (loaded.ok()) check_round_trip(loaded.config);
    }
}

TEST_CASE("the examples are accepted without a warning and read back from their effective form") {
    unsetenv("INTERNAL_ADDRESS");
    const std::vector<fs::path> files = yaml_files(root / "config/examples");
    CHECK(files.size() >= 3);
    for (const fs::path& file : files) {
        CAPTURE(file.filename().string());
        const Loaded loaded = load_file(file.string());
        CHECK(verdict(loaded, file.filename().string()) == "ok\n");
        check_round_trip(loaded.config);
    }
}

TEST_CASE("docs/CONFIG.md holds the reference as the schema gives it") {
    const std::string page = content(root / "docs/CONFIG.md");
    const std::string begin = "<!-- reference: begin -->\n", end = "<!-- reference: end -->\n";
    const std::size_t from = page.find(begin), to = page.find(end);
    REQUIRE(from != page.npos);
    REQUIRE(to != page.npos);
    const std::string found = page.substr(from + begin.size(), to - from - begin.size());
    if (const char* write = std::getenv("SCROLLGATE_WRITE_REFERENCE"); write != nullptr)
        std::ofstream(root / "docs/CONFIG.md", std::ios::binary)
            << page.substr(0, from) << begin << reference_markdown() << page.substr(to);
    else
        CHECK(found == reference_markdown());
}

}  // namespace scrollgate::config
