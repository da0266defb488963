// The command line, URLs and files: what is understood, and one clear line for what is not.
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "bench/plan/files.hpp"
#include "bench/plan/options.hpp"
#include "bench/plan/url.hpp"

using namespace scrollgate;
using namespace scrollgate::bench;
using namespace std::chrono_literals;

namespace {

/// A file that is gone with the test.
struct File {
    explicit File(const std::string& content) {
        const int fd = ::mkstemp(name.data());
        REQUIRE(fd >= 0);
        ::close(fd);
        std::ofstream(name) << content;
    }
    ~File() { ::unlink(name.c_str()); }
    std::string name = "/tmp/scrollgate-bench-XXXXXX";
};

std::string trouble_with(const std::vector<std::string>& arguments) {
    try {
        (void)parse_options(arguments);
    } catch (const BadInput& error) {
        return error.what();
    }
    return "";
}

Plan plan_from(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "http://h/");
    return parse_options(arguments).plan;
}

}  // namespace

TEST_CASE("URLs") {
    const TargetUrl plain = parse_url("http://example.com/a/b?c=d#fragment");
    CHECK_FALSE(plain.origin.tls);
    CHECK(plain.origin.host == "example.com");
    CHECK(plain.origin.port == 80);
    CHECK(plain.origin.authority == "example.com");
    CHECK(plain.target == "/a/b?c=d");
    const TargetUrl v6 = parse_url("https://[::1]:8443?x");
    CHECK(v6.origin.tls);
    CHECK(v6.origin.host == "::1");
    CHECK(v6.origin.port == 8443);
    CHECK(v6.origin.authority == "[::1]:8443");
    CHECK(v6.target == "/?x");
    CHECK(parse_url("https://h:443").origin.authority == "h");
    CHECK(parse_url("http://h:80/").origin.authority == "h");
    CHECK(parse_url("http://h/item/{n}.json").target == "/item/{n}.json");
    for (const char* bad : {"", "foo", "ftp://h/", "http://", "http:///x", "http://h:99999/",
                            "http://u@h/", "http://h/a b", "http://h/{n}/{n}", "http://h/\xc3\xbc",
                            "http://h:0/", "http://[::1]:0", "http://127.0.0.1:000/"})
        CHECK_THROWS_AS((void)parse_url(bad), BadInput);
}

TEST_CASE("the defaults, and every option") {
    const Plan usual = plan_from({});
    CHECK(usual.connections == 50);
    CHECK(usual.duration == 10s);
    CHECK_FALSE(usual.requests);
    CHECK(usual.rate.empty());
    CHECK(usual.methods.at(0).name == "GET");
    CHECK(usual.verify);

    const File body("payload");
    const Plan plan = plan_from({"-c",         "3",
                                 "-n",         "77",
                                 "--rate",     "12.5",
                                 "--arrivals", "even",
                                 "--workers",  "2",
                                 "-H",         "A: b",
                                 "-H",         "Host: other.test",
                                 "--mix",      "GET=80,POST=20",
                                 "--body",     body.name,
                                 "--insecure", "--timeout",
                                 "1500ms",     "--expect-status",
                                 "200-299",    "--expect-length",
                                 "9",          "--by",
                                 "X-Cloud"});
    CHECK(plan.connections == 3);
    CHECK(*plan.requests == 77);
    CHECK(plan.rate.at(0).rate == 12.5);
    CHECK(plan.arrivals == Arrivals::Kind::even);
    CHECK(plan.workers == 2);
    REQUIRE(plan.fields.size() == 1);
    CHECK(plan.fields[0] == std::pair<std::string, std::string>("A", "b"));
    CHECK(plan.origin.authority == "other.test");
    CHECK(plan.methods.at(1).weight == 20);
    CHECK(plan.has_body("POST"));
    CHECK_FALSE(plan.has_body("GET"));
    CHECK_FALSE(plan.verify);
    CHECK(plan.timeout == 1500ms);
    CHECK(plan.expect.status_to == 299);
    CHECK(*plan.expect.length == 9);
    CHECK(plan.by == "X-Cloud");

    const Plan ramp = plan_from({"--ramp", "100:300:100", "-d", "3s"});
    REQUIRE(ramp.rate.size() == 3);
    CHECK(ramp.rate[2].rate == 300);
    CHECK(ramp.rate[2].length == 1s);
    CHECK(plan_from({"-c", "1", "--workers", "8"}).workers == 1);
}

TEST_CASE("what cannot be used is said in one line") {
    const std::vector<std::vector<std::string>> bad = {
        {},
        {"http://h/", "more"},
        {"http://h/", "--unknown"},
        {"http://h/", "-c", "0"},
        {"http://h/", "-c", "many"},
        {"http://h/", "-d", "10"},
        {"http://h/", "-d", "0s"},
        {"http://h/", "-n", "5", "-d", "1s"},
        {"http://h/", "--rate", "0"},
        {"http://h/", "--rate", "-1"},
        {"http://h/", "--rate", "nan"},
        {"http://h/", "--rate", "1e-12"},
        {"http://h/{n}", "--keys", "9", "--zipf", "nan"},
        {"http://h/{n}", "--keys", "9", "--zipf", "inf"},
        {"http://h/", "--replay", "/etc/hostname", "-X", "GET"},
        {"http://h/", "--mix", ""},
        {"http://h/", "--mix", ","},
        {"http://h/", "--body", ""},
        {"http://h/", "--mix", "GET=nan"},
        {"http://h/", "--mix", "GET=0"},
        {"http://h/", "--json", "-", "--html", "-"},
        {"http://h/", "--expect-status", "300-200"},
        {"http://h/", "--speed", "2"},
        {"http://h/", "--arrivals", "even"},
        {"http://h/", "-X", "PUT", "--mix", "GET=1"},
        {"http://h/{n}", "--zipf", "1"},
        {"http://h/", "--body", "/etc/hostname"},
        {"http://h/", "--by", "a b"},
        {"http://h/", "--streams", "2"},
        {"drill", "http://h/", "--kill", "4711", "--netns", "4712"},
        {"drill", "http://h/", "--kill", "4711", "--admin", "http://h"},
        {"drill", "http://h/", "--kill", "4711", "--for", "1s"},
        {"http://h/", "--rate", "1", "--ramp", "1:2:1"},
        {"http://h/", "--ramp", "5:1:1"},
        {"http://h/", "--ramp", "1:2"},
        {"http://h/", "--arrivals", "odd"},
        {"http://h/", "-H", "no colon"},
        {"http://h/", "-H", "Content-Length: 5"},
        {"http://h/", "-H", "A: b\r\nC: d"},
        {"http://h/", "-X", "GE T"},
        {"http://h/", "--mix", "GET"},
        {"http://h/", "--body", "/no/such/file"},
        {"http://h/", "--urls", "/no/such/file"},
        {"http://h/", "--replay", "/no/such/file"},
        {"http://h/", "--keys", "5"},
        {"http://h/{n}", "--keys", "0"},
        {"http://h/", "--expect-status", "999"},
        {"http://h/", "--expect-sha256", "abc"},
        {"http://h/", "--http1", "--http2"},
    };
    for (const auto& arguments : bad) {
        const std::string line = trouble_with(arguments);
        CAPTURE(fmt::format("{}", fmt::join(arguments, " ")));
        CHECK_FALSE(line.empty());
        CHECK(line.find('\n') == std::string::npos);
    }
    CHECK_THROWS_AS((void)parse_options({"--help"}), Finished);
    CHECK_THROWS_AS((void)parse_options({"--version"}), Finished);
}

TEST_CASE("a list of URLs is of one origin; comments and empty lines are skipped") {
    const Origin origin = parse_url("http://h:8080/").origin;
    const File good("/a\n\n# comment\nhttp://h:8080/b?c\r\n/item/{n}");
    CHECK(read_targets(good.name, origin) == std::vector<std::string>{"/a", "/b?c", "/item/{n}"});
    const File foreign("/a\nhttp://other/\n"), empty("# nothing\n"), broken("not a url\n");
    for (const File* file : {&foreign, &empty, &broken})
        CHECK_THROWS_AS((void)read_targets(file->name, origin), BadInput);
    try {
        (void)read_targets(foreign.name, origin);
    } catch (const BadInput& error) {
        CHECK(std::string(error.what()).starts_with(foreign.name + ":2: "));
    }
}

TEST_CASE("access logs: ours in JSON and combined, by time, with what cannot be sent left out") {
    const File json(
        R"({"time":"2026-11-24T04:00:01.250Z","method":"GET","path":"/b?x=1","status":200})"
        "\n"
        R"({"time":"2026-11-24T04:00:00.000Z","method":"POST","path":"/a","status":200})"
        "\n"
        R"({"time":"2026-11-24T04:00:02.000Z","method":null,"path":null,"status":400})"
        "\n"
        R"({"time":"9999-11-24T04:00:02.000Z","method":"GET","path":"/x","status":200})"
        "\n"
        R"({"time":"2026-11-24T04:00:02.5e300Z","method":"GET","path":"/x","status":200})"
        "\nrubbish\n");
    const ReplayLog ours = read_replay(json.name);
    REQUIRE(ours.rows.size() == 2);
    CHECK(ours.skipped == 4);
    CHECK(ours.rows[0].target == "/a");
    CHECK(ours.rows[0].at == 0s);
    CHECK(ours.methods.at(ours.rows[0].method) == "POST");
    CHECK(ours.rows[1].target == "/b?x=1");
    CHECK(ours.rows[1].at == 1250ms);

    const File combined(
        "10.0.0.1 - - [24/Nov/2026:05:00:00 +0100] \"GET /first HTTP/1.1\" 200 5 \"-\" \"curl\"\n"
        "10.0.0.1 - - [24/Nov/2026:04:00:00 +0000] \"GET /second HTTP/1.1\" 200 5 \"-\" \"x\"\n"
        "10.0.0.1 - - [24/Nov/2026:04:00:07 +0000] \"HEAD /third HTTP/1.0\" 200 5 \"-\" \"x\"\n"
        "10.0.0.1 - - [24/Nov/2026:04:00:07 +0000] \"-\" 400 0 \"-\" \"-\"\n");
    const ReplayLog other = read_replay(combined.name);
    REQUIRE(other.rows.size() == 3);
    CHECK(other.rows[0].target == "/first");
    CHECK(other.rows[1].target == "/second");
    CHECK(other.rows[1].at == 0s);
    CHECK(other.rows[2].at == 7s);
    CHECK(other.methods == std::vector<std::string>{"GET", "HEAD"});
    const File useless("nothing\nto see\n");
    CHECK_THROWS_AS((void)read_replay(useless.name), BadInput);
}
