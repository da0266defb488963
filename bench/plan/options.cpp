#include "bench/plan/options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/plan/files.hpp"
#include "bench/plan/url.hpp"
#include "bench/report/duration_text.hpp"
#include "core/http1/bytes.hpp"
#include "core/process_limits.hpp"
#include "core/text.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::uint64_t most_connections = 100'000;
constexpr std::uint64_t most_streams = 1'000;
constexpr std::uint64_t most_workers = 256;
constexpr std::uint64_t most_keys = 1'000'000'000'000;
/// Per second. At the lowest one the first request of a run of 30 days is due within it or soon
/// after, and times in nanoseconds do not run over.
constexpr double lowest_rate = 1e-6, highest_rate = 1e7;
constexpr double highest_weight = 1e9;
constexpr std::size_t most_steps = 1'000;

/// Options as they are written.
struct Written {
    std::string url, body, urls, replay, method, mix, ramp, arrivals;
    std::string duration, timeout, expect_status, rate, speed, keys, zipf;
    std::string connections, requests, workers, streams, expect_length, expect_sha256;
    std::vector<std::string> fields;
    bool insecure = false, resume = false, http1 = false, http2 = false;
    std::string kill, stop, netns, at, length;  ///< of a drill
};

void declare(CLI::App& app, Written& w, Options& o) {
    app.add_option("URL", w.url, "http(s)://HOST[:PORT]/PATH; {n} in it is a number below --keys")
        ->required();
    app.add_option("-c,--connections", w.connections, "connections (50)");
    app.add_option("-d,--duration", w.duration, "how long (10s)");
    app.add_option("-n,--requests", w.requests, "how many requests, instead of how long");
    app.add_option("--rate", w.rate,
                   "requests per second in an open loop; without it each connection waits for its "
                   "answer before it asks again");
    app.add_option("--ramp", w.ramp, "FROM:TO:STEP, rates that share the duration");
    app.add_option("--arrivals", w.arrivals, "of the open loop: poisson (default) or even");
    app.add_option("--workers", w.workers, "threads (half of the usable cores)");
    app.add_option("-H,--header", w.fields, "'Name: value', may be repeated");
    app.add_option("-X,--method", w.method, "GET");
    app.add_option("--mix", w.mix, "methods by weight: GET=80,POST=20");
    app.add_option("--body", w.body, "file that is sent with methods that have a body");
    app.add_flag("--insecure", w.insecure, "believe any certificate");
    app.add_flag("--resume", w.resume, "go on from TLS sessions when connecting again");
    app.add_flag("--http1", w.http1, "HTTP/1.1 (default)");
    app.add_flag("--http2", w.http2, "HTTP/2, on http:// by prior knowledge");
    app.add_option("--streams", w.streams, "HTTP/2: requests at a time per connection (1)");
    app.add_option("--urls", w.urls, "file with one path or URL per line, asked in turn");
    app.add_option("--keys", w.keys, "numbers that {n} stands for: 0 to N-1 (1)");
    app.add_option("--zipf", w.zipf, "draw numbers by Zipf's law with this exponent");
    app.add_option("--replay", w.replay, "access log (JSON or combined) to be sent again");
    app.add_option("--speed", w.speed, "of the replay: 1 as recorded, 2 twice as fast, max");
    app.add_option("--timeout", w.timeout, "of one request (30s)");
    app.add_option("--expect-status", w.expect_status,
                   "200 or 200-299; others are failures (any will do; in a drill 200-399)");
    app.add_option("--expect-length", w.expect_length, "bytes of a right body");
    app.add_option("--expect-sha256", w.expect_sha256, "hash of a right body");
    app.add_option("--by", o.plan.by, "response field that tells who answered, as X-Served-By");
    app.add_option("--fail-if", o.fail_if, "exit 1 if so: 'p99>50ms', 'errors>0'; may be repeated");
    app.add_option("--json", o.json, "file for all figures; - is standard output");
    app.add_option("--html", o.html, "file for a page with plots; - is standard output");
    app.add_flag("--plain", o.plain, "no live view");
    app.add_flag("-q,--quiet", o.quiet, "only the result");
    app.set_version_flag("--version", "scrollgate-bench " SCROLLGATE_VERSION);
}

void declare_drill(CLI::App& app, Written& w, Victim& victim) {
    app.add_option("--kill", w.kill, "process that is killed");
    app.add_option("--stop", w.stop, "process that is stopped: it still shakes hands, and no more");
    app.add_option("--blackhole", victim.blackhole,
                   "IP or IP:PORT whose packets vanish, in a network namespace made for it");
    app.add_option("--netns", w.netns, "a process in that namespace (this one)");
    app.add_option("--admin", victim.admin, "admin listener of a Scrollgate, for --fail");
    app.add_option("--fail", victim.pool, "pool that is treated as lost");
    app.add_option("--token-file", victim.token_file, "token of the admin listener");
    app.add_option("--at", w.at, "when (a third of the duration)");
    app.add_option("--for", w.length, "how long (to the end)");
}

/// A number in [low, high], as `option` wants one.
template <class Number>
Number number_from(const char* option, std::string_view text, Number low, Number high) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || !(number >= low && number <= high))  // NaN is neither
        throw BadInput(fmt::format("{} '{}': a number from {} to {}", option, text, low, high));
    return number;
}

Duration duration_from(const char* option, const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration) throw BadInput(fmt::format("{}: {}", option, not_a_duration(text)));
    if (*duration <= Duration::zero() || *duration > std::chrono::hours(24 * 30))
        throw BadInput(fmt::format("{} '{}': more than nothing, at most 30 days", option, text));
    return *duration;
}

double rate_from(const char* option, std::string_view text) {
    return number_from<double>(option, text, lowest_rate, highest_rate);
}

/// FROM:TO:STEP, both ends included.
std::vector<double> ramp_from(std::string_view text) {
    const std::size_t first = text.find(':'), second = text.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
        throw BadInput(fmt::format("--ramp '{}': FROM:TO:STEP, as in 1000:5000:500", text));
    const double from = rate_from("--ramp", text.substr(0, first));
    const double to = rate_from("--ramp", text.substr(first + 1, second - first - 1));
    const double step = rate_from("--ramp", text.substr(second + 1));
    if (to < from) throw BadInput(fmt::format("--ramp '{}': it goes up", text));
    std::vector<double> rates;
    for (std::size_t i = 0; from + static_cast<double>(i) * step <= to * (1 + 1e-9); ++i) {
        rates.push_back(from + static_cast<double>(i) * step);
        if (rates.size() > most_steps)
            throw BadInput(fmt::format("--ramp '{}': more than {} steps", text, most_steps));
    }
    return rates;
}

std::vector<Plan::MethodShare> mix_from(std::string_view text) {
    std::vector<Plan::MethodShare> mix;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view part = pop_first_in_list(rest);
        const std::size_t equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        if (!http1::is_token(name) || equals == std::string_view::npos || mix.size() == 16)
            throw BadInput(fmt::format("--mix '{}': METHOD=WEIGHT,…, as in GET=80,POST=20", text));
        const double weight = number_from<double>("--mix", part.substr(equals + 1),
                                                  1 / highest_weight, highest_weight);
        mix.push_back({std::string(name), weight});
    }
    return mix;
}

void check_field(std::string_view text, Plan& plan) {
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    if (colon == std::string_view::npos || !http1::is_token(name))
        throw BadInput(fmt::format("-H '{}': 'Name: value'", text));
    const std::string_view value = trim(text.substr(colon + 1));
    if (std::any_of(value.begin(), value.end(), [](char c) {
            return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
        }))
        throw BadInput(fmt::format("-H '{}': control bytes in the value", name));
    if (equal_no_case(name, "content-length") || equal_no_case(name, "transfer-encoding"))
        throw BadInput(fmt::format("-H '{}': the length comes from --body", name));
    if (equal_no_case(name, "host")) {
        plan.origin.authority = value;
    } else {
        plan.fields.emplace_back(name, value);
    }
}

void read_expectation(const Written& w, Plan::Expectation& expect) {
    if (!w.expect_status.empty()) {
        const std::string_view text = w.expect_status;
        const std::size_t dash = text.find('-');
        const auto status = [](std::string_view part) {
            return number_from<std::uint16_t>("--expect-status", part, 100, 599);
        };
        expect.status_from = status(text.substr(0, dash));
        expect.status_to =
            dash == std::string_view::npos ? expect.status_from : status(text.substr(dash + 1));
        if (expect.status_to < expect.status_from)
            throw BadInput(fmt::format("--expect-status '{}': from the lower to the higher", text));
    }
    if (!w.expect_length.empty())
        expect.length =
            number_from<std::uint64_t>("--expect-length", w.expect_length, 0, 1ULL << 50);
    expect.sha256 = w.expect_sha256;
    const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (!expect.sha256.empty() && (expect.sha256.size() != 64 ||
                                   !std::all_of(expect.sha256.begin(), expect.sha256.end(), hex)))
        throw BadInput("--expect-sha256: 64 lower-case hex digits, as sha256sum prints them");
}

/// What is asked for: one target, a list, or a log.
void read_requests(const Written& w, Options& o) {
    Plan& plan = o.plan;
    TargetUrl url = parse_url(w.url);
    plan.url = w.url;
    plan.origin = url.origin;
    plan.targets = {url.target};
    if (!w.urls.empty()) plan.targets = read_targets(w.urls, url.origin);
    if (!w.keys.empty()) plan.keys = number_from<std::uint64_t>("--keys", w.keys, 1, most_keys);
    if (!w.zipf.empty()) plan.zipf = number_from<double>("--zipf", w.zipf, 0, 10);
    const bool numbered = std::any_of(plan.targets.begin(), plan.targets.end(), [](const auto& t) {
        return t.find("{n}") != std::string::npos;
    });
    if ((!w.keys.empty() || !w.zipf.empty()) && !numbered)
        throw BadInput("--keys and --zipf need {n} in the URL, as in http://host/item/{n}");
    const std::string method = w.method.empty() ? "GET" : w.method;
    if (!http1::is_token(method)) throw BadInput(fmt::format("-X '{}' is no method", method));
    plan.methods = {{method, 1}};
    if (!w.mix.empty()) plan.methods = mix_from(w.mix);
    if (!w.body.empty()) plan.body = read_file(w.body);
    for (const std::string& field : w.fields)
        check_field(field, plan);
    if (w.replay.empty()) return;
    ReplayLog log = read_replay(w.replay);
    plan.replay = std::move(log.rows);
    plan.methods.clear();
    for (std::string& name : log.methods)
        plan.methods.push_back({std::move(name), 1});
    if (log.skipped > 0)
        o.notes.push_back(fmt::format("{}: {} lines are no requests that can be sent again",
                                      w.replay, log.skipped));
    if (w.speed == "max") {
        plan.speed = 0;
    } else if (!w.speed.empty()) {
        plan.speed = rate_from("--speed", w.speed);
    }
}

/// How many, how long and how fast.
void read_amounts(const Written& w, Plan& plan) {
    const auto count = [](const char* option, const std::string& text, std::uint64_t most) {
        return static_cast<unsigned>(number_from<std::uint64_t>(option, text, 1, most));
    };
    if (!w.connections.empty()) plan.connections = count("-c", w.connections, most_connections);
    if (!w.streams.empty()) plan.streams = count("--streams", w.streams, most_streams);
    plan.workers = std::max(1U, usable_cores() / 2);
    if (!w.workers.empty()) plan.workers = count("--workers", w.workers, most_workers);
    plan.workers = std::min(plan.workers, plan.connections);
    if (!w.requests.empty() && !w.duration.empty())
        throw BadInput("-n and -d: one of the two ends the run");
    if (!w.requests.empty())
        plan.requests = number_from<std::uint64_t>("-n", w.requests, 1, 1ULL << 50);
    if (!w.duration.empty()) plan.duration = duration_from("-d", w.duration);
    if (!w.replay.empty() && w.duration.empty()) plan.duration = no_limit;
    if (!w.timeout.empty()) plan.timeout = duration_from("--timeout", w.timeout);
    if (!w.rate.empty() && !w.ramp.empty()) throw BadInput("--rate and --ramp: one of the two");
    if (!w.rate.empty()) plan.rate = {{rate_from("--rate", w.rate), no_limit}};
    if (!w.ramp.empty()) {
        if (plan.requests) throw BadInput("--ramp shares a duration: -d instead of -n");
        const std::vector<double> rates = ramp_from(w.ramp);
        for (const double rate : rates)
            plan.rate.push_back({rate, plan.duration / static_cast<int>(rates.size())});
    }
    if (w.arrivals == "even") {
        plan.arrivals = Arrivals::Kind::even;
    } else if (!w.arrivals.empty() && w.arrivals != "poisson") {
        throw BadInput(fmt::format("--arrivals '{}': poisson or even", w.arrivals));
    }
}

/// A drill needs a load that goes on whatever happens, a moment within it, and answers that count
/// as failures when the victim's trouble is passed on.
Victim read_drill(const Written& w, Victim victim, Options& options) {
    constexpr double usual_rate = 200;
    constexpr std::uint16_t first_good = 200, last_good = 399;
    Plan& plan = options.plan;
    const auto process = [](const char* option, const std::string& text) -> std::optional<int> {
        if (text.empty()) return {};
        return number_from<int>(option, text, 1, 1 << 22);
    };
    victim.kill = process("--kill", w.kill);
    victim.stop = process("--stop", w.stop);
    victim.netns = process("--netns", w.netns);
    if (plan.requests || !plan.replay.empty() || plan.rate.size() > 1)
        throw BadInput(
            "drill: the load is steady for a time: -d and --rate, not -n, --ramp or --replay");
    if (plan.rate.empty()) plan.rate = {{usual_rate, no_limit}};
    if (w.expect_status.empty()) {
        plan.expect.status_from = first_good;
        plan.expect.status_to = last_good;
    }
    plan.strike = plan.duration / 3;
    if (!w.at.empty()) plan.strike = duration_from("--at", w.at);
    if (!w.length.empty()) victim.length = duration_from("--for", w.length);
    if (victim.kill && !w.length.empty())
        throw BadInput("--for: nothing brings back what --kill has killed; --stop can be mended");
    if (*plan.strike >= plan.duration) throw BadInput("--at: before the end, see -d");
    if (plan.by.empty())
        options.notes.emplace_back(
            "drill: without --by FIELD nobody knows which pool answered: no shares");
    return victim;
}

/// A shell variable that was not set is no file and no number.
void refuse_empty(const CLI::App& app) {
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& value : option->results())
            if (value.empty())
                throw BadInput(fmt::format("{}: its value is empty", option->get_name()));
    }
}

/// What would be left out of account without a word.
void refuse_idle(const Written& w, const Plan& plan, const Victim& victim) {
    const auto together = [](bool given, bool idle, const char* why) {
        if (given && idle) throw BadInput(why);
    };
    const bool replay = !w.replay.empty();
    together(replay,
             !w.urls.empty() || !w.mix.empty() || !w.method.empty() || !w.rate.empty() ||
                 !w.ramp.empty() || !w.keys.empty() || !w.zipf.empty(),
             "--replay has its own targets, methods and times: no --urls, --keys, --zipf, --mix, "
             "-X, --rate or --ramp beside it");
    together(!w.speed.empty(), !replay, "--speed is that of a --replay");
    together(!w.arrivals.empty(), plan.rate.empty(), "--arrivals are those of --rate or --ramp");
    together(!w.method.empty(), !w.mix.empty(), "-X and --mix: one of the two");
    together(!w.zipf.empty(), w.keys.empty(), "--zipf needs --keys, of which it chooses");
    together(
        !w.body.empty(),
        !plan.body.empty() && std::none_of(plan.methods.begin(), plan.methods.end(),
                                           [&](const auto& m) { return plan.has_body(m.name); }),
        "--body: no request has one; -X POST, for example");
    together(!plan.by.empty(), !http1::is_token(plan.by), "--by: the name of a response field");
    together(!w.streams.empty(), !w.http2, "--streams is of HTTP/2: --http2");
    together(w.http1, w.http2, "--http1 and --http2: one of the two");
    together(!w.netns.empty(), victim.blackhole.empty(), "--netns is that of --blackhole");
    together(!victim.admin.empty() || !victim.token_file.empty(), victim.pool.empty(),
             "--admin and --token-file are for --fail POOL");
}

}  // namespace

Options parse_options(std::vector<std::string> arguments) {
    Options options;
    Written written;
    CLI::App app("Loads an HTTP server and tells how long its answers take.", "scrollgate-bench");
    declare(app, written, options);
    Victim victim;
    const bool drill = !arguments.empty() && arguments.front() == "drill";
    if (drill) {
        arguments.erase(arguments.begin());
        declare_drill(app, written, victim);
    }
    app.footer("`scrollgate-bench drill URL …` breaks something meanwhile: see drill --help.");
    std::reverse(arguments.begin(), arguments.end());
    try {
        app.parse(arguments);
    } catch (const CLI::CallForHelp&) {
        throw Finished{app.help()};
    } catch (const CLI::CallForVersion& version) {
        throw Finished{std::string(version.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
        throw BadInput(fmt::format("{} (see --help)", error.what()));
    }
    refuse_empty(app);
    read_requests(written, options);
    read_amounts(written, options.plan);
    read_expectation(written, options.plan.expect);
    options.plan.verify = !written.insecure;
    options.plan.http2 = written.http2;
    options.plan.resume = written.resume;
    if (written.resume && (written.http2 || !options.plan.origin.tls))
        throw BadInput("--resume is for HTTP/1.1 over https://");
    if (options.json == "-" && options.html == "-")
        throw BadInput("--json - and --html -: one of the two goes to standard output");
    if (drill) victim = read_drill(written, std::move(victim), options);
    refuse_idle(written, options.plan, victim);
    if (drill) options.drill = std::move(victim);
    return options;
}

}  // namespace scrollgate::bench
