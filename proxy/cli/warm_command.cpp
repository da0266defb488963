// cache warm: sends the URLs, then looks at the job until it is done.
#include <algorithm>
#include <iostream>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "core/limits.hpp"
#include "proxy/caching/warm_file.hpp"
#include "proxy/cli/cache_commands.hpp"
#include "proxy/cli/change.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;
using cli::number;
using cli::text;

/// The admin API takes so much at once; longer lists become several jobs.
constexpr std::size_t most_bytes = limits::admin_body / 2;

/// What a job has come to.
struct Progress {
    std::uint64_t total = 0, done = 0, stored = 0, not_stored = 0, failed = 0;
    bool finished = false;
};

class Display {
  public:
    explicit Display(const Console& console) : console_(console) {}

    void show(const Progress& now) {
        if (console_.terminal)
            bar(now);
        else
            line(now);
    }

  private:
    static std::string counts(const Progress& now) {
        return fmt::format("{} stored, {} not stored, {} failed", now.stored, now.not_stored,
                           now.failed);
    }
    static std::uint64_t tenths(const Progress& now, std::uint64_t of) {
        return now.total == 0 ? of : now.done * of / now.total;
    }

    void bar(const Progress& now) {
        constexpr std::uint64_t width = 30;
        const auto full = static_cast<std::size_t>(tenths(now, width));
        fmt::print(console_.out, "\r\x1b[K[{}{}] {}/{}  {}{}", std::string(full, '#'),
                   std::string(width - full, ' '), now.done, now.total, counts(now),
                   now.finished ? "\n" : "");
        console_.out << std::flush;
    }
    void line(const Progress& now) {
        const std::uint64_t step = tenths(now, 10);
        if (step <= said_ && !now.finished) return;
        said_ = step;
        fmt::print(console_.out, "{}/{}: {}\n", now.done, now.total, counts(now));
        console_.out << std::flush;
    }

    const Console& console_;
    std::uint64_t said_ = 0;
};

void print_troubles(const json::object& job, const Console& console) {
    for (const json::value& one : job.at("troubles").as_array())
        fmt::print(console.err, "scrollgate: {}: {}\n", text(one.as_object(), "url"),
                   text(one.as_object(), "why"));
}

/// Looks at job `id` until it is done.
int follow(const AdminTarget& target, std::uint64_t id, const Console& console) {
    Display display(console);
    std::uint64_t seen = 0;
    while (true) {
        const std::string path = fmt::format("/api/v1/cache/warm/{}?seen={}", id, seen);
        const Asked asked = ask(target, {"GET", path}, console);
        if (!asked.answered) return 1;
        try {
            if (asked.status != 200) {
                cli::print_refusal(asked, console);
                return 1;
            }
            const json::value answer = json::parse(asked.body);
            const json::object& job = answer.as_object();
            const Progress now{number(job, "total"),  number(job, "done"),
                               number(job, "stored"), number(job, "not_stored"),
                               number(job, "failed"), text(job, "state") == "done"};
            display.show(now);
            seen = now.done;
            if (now.finished) {
                print_troubles(job, console);
                return now.failed > 0 ? 1 : 0;
            }
        } catch (const std::exception&) {
            return unexpected(target, asked, console);
        }
    }
}

}  // namespace

int run_cache_warm(const AdminTarget& target, const WarmRequest& request, const Console& console) {
    std::vector<std::string> urls = request.urls;
    if (!request.file.empty()) {
        UrlFile read = read_url_file(request.file == "-" ? "/dev/stdin" : request.file);
        if (!read.error.empty()) {
            fmt::print(console.err, "scrollgate: {}\n", read.error);
            return 1;
        }
        urls.insert(urls.end(), std::make_move_iterator(read.urls.begin()),
                    std::make_move_iterator(read.urls.end()));
    }
    if (urls.empty()) {
        fmt::print(console.err, "scrollgate: there is no URL to warm\n");
        return 1;
    }
    int result = 0;
    for (std::size_t at = 0; at < urls.size();) {
        json::object body{{"urls", json::array()}};
        json::array& some = body["urls"].as_array();
        for (std::size_t bytes = 0; at < urls.size() && bytes < most_bytes; ++at) {
            bytes += urls[at].size() + 3;
            some.emplace_back(urls[at]);
        }
        if (request.rate) body["rate"] = *request.rate;
        std::uint64_t id = 0;
        const int asked = cli::change(target, {"POST", "/api/v1/cache/warm", json::serialize(body)},
                                      console, [&](const json::object& answer) {
                                          id = number(answer, "job");
                                          if (!request.wait)
                                              fmt::print(console.out, "job {}: {} URLs\n", id,
                                                         number(answer, "total"));
                                      });
        if (asked != 0) return asked;
        if (request.wait) result = std::max(result, follow(target, id, console));
    }
    return result;
}

}  // namespace scrollgate
