// The log's writer: rotation, reload, and files that take no more.
#include "proxy/observe/access_log.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace scrollgate;
using Settings = config::AccessLog;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "access_log_XXXXXX").string();
        REQUIRE(mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }
    ~Folder() { fs::remove_all(path_); }
    [[nodiscard]] std::string operator/(const char* name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

std::string content(const std::string& path) {
    std::ifstream in(path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

ExchangeRecord record(std::string_view path) {
    ExchangeRecord r;
    r.method = "GET";
    r.path = path;
    r.status = 200;
    return r;
}

// Waits until the writer has brought `path` to hold `text`. Ends with the test's own timeout.
void wait_for(const std::string& path, const std::string& text) {
    while (content(path).find(text) == std::string::npos)
        std::this_thread::yield();
}

}  // namespace

TEST_CASE("lines of all workers reach the file") {
    const Folder folder;
    {
        AccessLog log(Settings{folder / "log", Settings::Format::json}, 3);
        std::vector<std::thread> workers;
        for (unsigned w = 0; w < 3; ++w) {
            workers.emplace_back([&, w] {
                for (int i = 0; i < 1000; ++i)
                    log.write(w, record("/x"));
            });
        }
        for (std::thread& worker : workers)
            worker.join();
        CHECK(log.dropped() == 0);
    }
    const std::string text = content(folder / "log");
    CHECK(lines(text) == 3000);
    CHECK(text.back() == '\n');
    struct stat status {};
    REQUIRE(stat((folder / "log").c_str(), &status) == 0);
    CHECK((status.st_mode & 0137) == 0);  // others have no business here
}

TEST_CASE("a single line wakes a sleeping writer") {
    const Folder folder;
    AccessLog log(Settings{folder / "log", Settings::Format::combined}, 1);
    for (const char* path : {"/one", "/two", "/three"}) {
        log.write(0, record(path));
        wait_for(folder / "log", path);
    }
    CHECK(lines(content(folder / "log")) == 3);
}

TEST_CASE("after a rotation lines go to a new file") {
    const Folder folder;
    AccessLog log(Settings{folder / "log", Settings::Format::json}, 1);
    log.write(0, record("/before"));
    wait_for(folder / "log", "/before");
    fs::rename(folder / "log", folder / "log.1");
    log.reopen();
    while (!fs::exists(folder / "log"))
        std::this_thread::yield();
    log.write(0, record("/after"));
    wait_for(folder / "log", "/after");
    CHECK(lines(content(folder / "log.1")) == 1);
}

TEST_CASE("a reopen that fails keeps the old file") {
    const Folder folder;
    fs::create_directory(folder / "sub");
    AccessLog log(Settings{folder / "sub/log", Settings::Format::json}, 1);
    fs::rename(folder / "sub", folder / "moved");
    log.reopen();
    log.write(0, record("/kept"));
    wait_for(folder / "moved/log", "/kept");
    CHECK(log.dropped() == 0);
}

TEST_CASE("a reload moves the log, changes its format, turns it off and on") {
    const Folder folder;
    AccessLog log(Settings{folder / "one", Settings::Format::json}, 1);
    log.write(0, record("/first"));
    log.reconfigure(Settings{folder / "two", Settings::Format::combined});
    wait_for(folder / "one", "/first");  // what came before the reload is where it belongs
    log.write(0, record("/second"));
    wait_for(folder / "two", "\"GET /second HTTP/1.1\"");
    log.reconfigure(Settings{"-", Settings::Format::off});
    CHECK(!log.enabled());
    log.write(0, record("/nowhere"));
    log.reconfigure(Settings{folder / "two", Settings::Format::json});
    CHECK(log.enabled());
    log.write(0, record("/third"));
    wait_for(folder / "two", "/third");
    CHECK(content(folder / "two").find("/nowhere") == std::string::npos);
    CHECK(log.dropped() == 0);
}

TEST_CASE("a line behind a reload that turns the log on is kept, however close they are") {
    const Folder folder;
    AccessLog log(Settings{folder / "log", Settings::Format::json}, 1);
    for (int i = 0; i < 100; ++i) {
        const std::string path = "/" + std::to_string(i) + "/";
        log.reconfigure(Settings{"-", Settings::Format::off});
        log.reconfigure(Settings{folder / "log", Settings::Format::json});
        log.write(0, record(path));
        wait_for(folder / "log", path);
    }
    CHECK(log.dropped() == 0);
}

TEST_CASE("a file that cannot be opened is named, and a reload to it changes nothing") {
    const Folder folder;
    const Settings bad{folder / "no/such", Settings::Format::json};
    const std::string message =
        "cannot open the access log " + bad.path + ": No such file or directory";
    CHECK_THROWS_WITH(AccessLog(bad, 1), message.c_str());
    AccessLog log(Settings{folder / "log", Settings::Format::json}, 1);
    CHECK_THROWS_WITH(log.reconfigure(bad), message.c_str());
    log.write(0, record("/still"));
    wait_for(folder / "log", "/still");
}

TEST_CASE("a reader that stalls costs lines, counted, and never blocks the worker") {
    const Folder folder;
    REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    const int reader = open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(reader >= 0);
    const std::string path = "/" + std::string(4000, 'x');
    std::uint64_t written = 0;
    std::uint64_t dropped = 0;
    std::string got;
    std::optional<AccessLog> log;
    log.emplace(Settings{folder / "pipe", Settings::Format::json}, 1);
    while (log->dropped() == 0) {
        log->write(0, record(path));
        ++written;
    }
    dropped = log->dropped();
    std::thread drain([&] {  // reads until the writer closes
        char bytes[65536];
        fcntl(reader, F_SETFL, 0);
        ssize_t n = 0;
        while ((n = read(reader, bytes, sizeof bytes)) > 0) {
            got.append(bytes, static_cast<std::size_t>(n));
        }
    });
    log.reset();
    drain.join();
    close(reader);
    CHECK(dropped == 1);
    CHECK(lines(got) == written - dropped);
}

TEST_CASE("a full disk and a closed pipe are dropped lines, not an end") {
    std::signal(SIGPIPE, SIG_IGN);
    {
        AccessLog log(Settings{"/dev/full", Settings::Format::json}, 1);
        log.write(0, record("/lost"));
        while (log.dropped() == 0)
            std::this_thread::yield();
        CHECK(log.dropped() == 1);
    }
    const Folder folder;
    REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
    const int reader = open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
    AccessLog log(Settings{folder / "pipe", Settings::Format::json}, 1);
    close(reader);
    log.write(0, record("/lost"));
    while (log.dropped() == 0)
        std::this_thread::yield();
    CHECK(log.dropped() == 1);
}
