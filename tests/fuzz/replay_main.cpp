// Runs a fuzz target without libFuzzer: its seeds, then mutations of them by a seeded generator, so
// that a failure can be had again with the numbers that are printed.
//
//     TARGET_fuzz SEED_DIRECTORY [MUTATIONS [SEED]]

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <unistd.h>

#include "core/rng.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using scrollgate::FastRng;

constexpr std::size_t longest = 64 * 1024;

/// Short texts that grammars turn on.
constexpr const char* words[] = {
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ": ",
    ",",
    ";",
    "=",
    "\"",
    "\\",
    "#",
    "?",
    "/",
    "*",
    "@",
    "[",
    "]",
    "0",
    "00",
    "-1",
    "+",
    "\x7f",
    "\x80",
    "\xff",
    "%00",
    "..",
    "  ",
    "\r\n ",
    "\r\n\r\n",
    "close",
    "chunked",
    "identity",
    "gzip, chunked",
    "18446744073709551616",
    "9999999999999999999",
    "ffffffffffffffff",
    "HTTP/1.0",
    "HTTP/1.1",
    "Host: a\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
};

struct Seeds {
    std::vector<std::string> inputs;

    explicit Seeds(const char* directory) {
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            paths.push_back(entry.path());
        }
        std::sort(paths.begin(), paths.end());
        for (const auto& path : paths) {
            std::ifstream file(path, std::ios::binary);
            inputs.emplace_back(std::istreambuf_iterator<char>(file),
                                std::istreambuf_iterator<char>());
        }
    }
};

void mutate(std::string& text, const Seeds& seeds, FastRng& rng) {
    const auto pick = [&rng](std::size_t bound) {
        return static_cast<std::size_t>(rng.below(bound));
    };
    const std::size_t at = pick(text.size() + 1);
    const std::size_t run = pick(std::min<std::size_t>(text.size() - at, 32) + 1);
    switch (pick(8)) {
        case 0:
            if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << pick(8)));
            break;
        case 1:
            if (at < text.size()) text[at] = static_cast<char>(pick(256));
            break;
        case 2:
            text.erase(at, run);
            break;
        case 3:
            text.insert(pick(text.size() + 1), text.substr(at, run));
            break;
        case 4:
            text.insert(at, 1 + pick(300), static_cast<char>(pick(256)));
            break;
        case 5: {
            const std::string& other = seeds.inputs[pick(seeds.inputs.size())];
            text.replace(at, run, other.substr(pick(other.size() + 1), pick(64)));
            break;
        }
        default:
            text.replace(at, pick(2) == 0 ? 0 : run, words[pick(std::size(words))]);
            break;
    }
    if (text.size() > longest) text.resize(longest);
}

std::string now_running;

/// For what ends the process (abort, sanitizers): says which input it was.
extern "C" void on_abort(int) {
    static_cast<void>(!::write(STDERR_FILENO, now_running.data(), now_running.size()));
}

bool run(const std::string& input, const std::string& label) {
    now_running = "stopped in " + label + "\n";
    // a copy of exactly its size: sanitizers see a read behind it
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    try {
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        return true;
    } catch (const std::exception& broken) {
        std::fprintf(stderr, "%s: %s\ninput:", label.c_str(), broken.what());
        for (const std::uint8_t byte : bytes)
            std::fprintf(stderr, " %02x", byte);
        std::fprintf(stderr, "\n");
        return false;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s SEED_DIRECTORY [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    std::signal(SIGABRT, on_abort);
    const Seeds seeds(argv[1]);
    const unsigned long mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 30'000;
    const unsigned long seed = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 528;
    if (seeds.inputs.empty()) {
        std::fprintf(stderr, "%s holds no seeds\n", argv[1]);
        return 2;
    }
    std::printf("%zu seeds, %lu mutations, seed %lu\n", seeds.inputs.size(), mutations, seed);
    std::fflush(stdout);
    for (std::size_t i = 0; i < seeds.inputs.size(); ++i) {
        if (!run(seeds.inputs[i], "seed " + std::to_string(i))) return 1;
    }
    FastRng rng(seed);
    for (unsigned long i = 0; i < mutations; ++i) {
        std::string text = seeds.inputs[static_cast<std::size_t>(rng.below(seeds.inputs.size()))];
        for (std::uint64_t round = rng.below(6) + 1; round > 0; --round)
            mutate(text, seeds, rng);
        if (!run(text, "mutation " + std::to_string(i))) return 1;
    }
    return 0;
}
