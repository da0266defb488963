#include "config/loader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/paths.hpp"
#include "config/sections/tables.hpp"
#include "config/validate.hpp"

namespace scrollgate::config {
namespace {

bool is_error(const Problem& problem) {
    return problem.severity == Problem::Severity::error;
}

Loaded failed(Problem problem) {
    Loaded loaded;
    loaded.problems.push_back(std::move(problem));
    return loaded;
}

Loaded failed(std::string message) {
    return failed({Problem::Severity::error, 0, 0, "", std::move(message)});
}

/// What holds before the file says anything.
Config starting_point() {
    Config config;
    config.admin.emplace();
    config.admin->bind = *SocketAddress::from_ip("127.0.0.1", 9528);
    config.admin->token_file = default_token_file();
    return config;
}

/// By place, each on one line whatever the file holds; none twice, where a value is read twice.
void tidy(std::vector<Problem>& problems) {
    for (Problem& problem : problems) {
        problem.path = visible(problem.path);
        problem.message = visible(problem.message);
    }
    const auto place = [](const Problem& p) { return std::pair(p.line, p.column); };
    std::stable_sort(problems.begin(), problems.end(),
                     [&](const Problem& a, const Problem& b) { return place(a) < place(b); });
    const auto same = [&](const Problem& a, const Problem& b) {
        return place(a) == place(b) && a.path == b.path && a.message == b.message;
    };
    problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

std::string too_large() {
    return fmt::format("larger than {}", size_text(limits::config_bytes));
}

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

std::string to_text(const Problem& problem, std::string_view file) {
    std::string out(file);
    if (problem.line > 0) out += fmt::format(":{}:{}", problem.line, problem.column);
    out += ": ";
    if (problem.severity == Problem::Severity::warning) out += "warning: ";
    if (!problem.path.empty()) out += problem.path + ": ";
    return out + problem.message;
}

bool Loaded::ok() const noexcept {
    return std::none_of(problems.begin(), problems.end(), is_error);
}

namespace {

/// With a folder, files that are named are looked into.
Loaded load(std::string_view text, const std::optional<std::string>& folder) {
    if (text.size() > limits::config_bytes) return failed(too_large());
    Document document = parse_document(text);
    if (document.problem) {
        Loaded unreadable = failed(std::move(*document.problem));
        tidy(unreadable.problems);
        return unreadable;
    }
    const Value& root = *document.root;
    if (root.is_null())
        return failed("empty; the smallest useful file has listeners, pools and routes");
    if (!root.is_map())
        return failed({Problem::Severity::error, root.mark.line, root.mark.column, "",
                       "the file has to begin with keys, such as listeners:, pools: and routes:"});
    Loaded loaded;
    loaded.config = starting_point();
    Reader reader(root_info());
    read_table(reader, root_table(), root, loaded.config);
    Validator validator(loaded.config, reader);
    validator.run();
    if (folder) {
        resolve_files(loaded.config, *folder);
        validator.files();
    }
    loaded.problems = std::move(reader.problems());
    tidy(loaded.problems);
    return loaded;
}

}  // namespace

Loaded load_text(std::string_view text) {
    return load(text, std::nullopt);
}

Loaded load_file(const std::string& file) {
    const auto unreadable = [] {
        return failed(fmt::format("cannot be read: {}", std::strerror(errno)));
    };
    // A FIFO without a writer must not hang `check`.
    const Descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (in.fd < 0) return unreadable();
    struct stat facts {};
    if (::fstat(in.fd, &facts) != 0) return unreadable();
    if (S_ISDIR(facts.st_mode)) return failed("a folder, not a file");
    std::string text;
    constexpr std::size_t step = 64 * limits::KiB;
    while (text.size() <= limits::config_bytes) {
        const std::size_t had = text.size();
        text.resize(had + step);
        const ssize_t got = ::read(in.fd, text.data() + had, step);
        if (got < 0 && errno == EINTR) {
            text.resize(had);
            continue;
        }
        if (got < 0) return unreadable();
        text.resize(had + static_cast<std::size_t>(got));
        if (got == 0) return load(text, std::filesystem::path(file).parent_path().string());
    }
    return failed(too_large());
}

std::string effective_yaml(const Config& config) {
    return render(*write_table(root_table(), config));
}

}  // namespace scrollgate::config
