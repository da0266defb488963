// The commands that talk to the admin address: what they print and how they end.
#include "proxy/cli/admin_client.hpp"

#include <sstream>

#include <doctest/doctest.h>

#include "tests/unit/proxy/admin/running_admin.hpp"

using namespace scrollgate;
using scrollgate::test::RunningAdmin;
using scrollgate::test::TemporaryFolder;

namespace {

struct Captured {
    std::ostringstream out, err;
    Console console{out, err, false};
};

AdminTarget target_of(const RunningAdmin& admin) {
    return {"127.0.0.1", admin.port, admin.token_file()};
}

}  // namespace

TEST_CASE("status prints a table, or the API's JSON") {
    const RunningAdmin admin;
    Captured table;
    CHECK(run_status(target_of(admin), false, table.console) == 0);
    CHECK(table.out.str().substr(0, 27) == "scrollgate 0.1.0  starting ");
    Captured raw;
    CHECK(run_status(target_of(admin), true, raw.console) == 0);
    CHECK(raw.out.str().substr(0, 20) == R"({"version":"0.1.0",")");
    CHECK(raw.err.str() == "");
}

TEST_CASE("a reload that went well is one line") {
    ReloadAnswer done;
    done.ok = true;
    done.file = "edge.yaml";
    done.snapshot = 4;
    done.not_reloadable = {"workers: 2 stays in force; 3 needs a restart of the process"};
    const RunningAdmin admin(done);
    Captured said;
    CHECK(run_reload(target_of(admin), said.console) == 0);
    CHECK(said.out.str() ==
          "reloaded edge.yaml: snapshot 4\n"
          "workers: 2 stays in force; 3 needs a restart of the process\n");
}

TEST_CASE("a refused reload prints errors by place and fails") {
    ReloadAnswer refused;
    refused.file = "edge.yaml";
    refused.problems = {{config::Problem::Severity::error, 3, 5, "pools.aws", "no endpoints"},
                        {config::Problem::Severity::error, 7, 1, "routes[0]", "no pools"}};
    const RunningAdmin admin(refused);
    Captured said;
    CHECK(run_reload(target_of(admin), said.console) == 1);
    CHECK(said.err.str() ==
          "edge.yaml:3:5: pools.aws: no endpoints\n"
          "edge.yaml:7:1: routes[0]: no pools\n"
          "not reloaded: the configuration in use stays as it was\n");
}

TEST_CASE("a missing or wrong token is explained") {
    const RunningAdmin admin;
    const TemporaryFolder folder;
    Captured missing;
    CHECK(run_reload({"127.0.0.1", admin.port, folder / "none"}, missing.console) == 1);
    CHECK(missing.err.str().find("cannot read the admin token file " + (folder / "none")) !=
          std::string::npos);
    const std::string other = folder.file("other", std::string(64, 'x'));
    Captured wrong;
    CHECK(run_reload({"127.0.0.1", admin.port, other}, wrong.console) == 1);
    CHECK(wrong.err.str().find("wants its token: that in " + other + " is another one") !=
          std::string::npos);
}

TEST_CASE("nobody at the address is said with what to do") {
    AdminTarget target;
    {
        const RunningAdmin admin;
        target = target_of(admin);
    }
    Captured said;
    CHECK(run_status(target, false, said.console) == 1);
    CHECK(said.err.str().find("does not answer: cannot connect: Connection refused (is scrollgate "
                              "running?") != std::string::npos);
}

TEST_CASE("the target comes from the options, then from the file") {
    Captured said;
    auto target = find_target({"", "[::]:77", "/t"}, said.console);
    REQUIRE(target);
    CHECK(target->host == "::1");
    CHECK(target->port == 77);
    CHECK(target->token_file == "/t");

    CHECK(find_target({"", "edge.example", "/t"}, said.console)->port == 9528);
    CHECK(said.err.str() == "");
    CHECK(!find_target({"", "a:b:c", "/t"}, said.console));
    CHECK(said.err.str() == "scrollgate: --admin a:b:c: not HOST:PORT, such as 127.0.0.1:9528\n");

    Captured missing;
    CHECK(!find_target({"/no/such.yaml", "", ""}, missing.console));
    CHECK(missing.err.str() ==
          "scrollgate: cannot read /no/such.yaml: No such file or directory\n");
}

TEST_CASE("the admin section of a file gives address and token") {
    const TemporaryFolder folder;
    const std::string rest =
        "listeners: [{address: 127.0.0.1:8080}]\n"
        "pools: {a: {endpoints: [127.0.0.1:9000]}}\n"
        "routes: [{pools: [a]}]\n";
    const std::string file = folder.file(
        "edge.yaml", "admin: {address: 0.0.0.0:7007, token_file: /secret/token}\n" + rest);
    Captured said;
    const auto target = find_target({file, "", ""}, said.console);
    CHECK(said.err.str() == "");
    REQUIRE(target);
    CHECK(target->host == "127.0.0.1");
    CHECK(target->port == 7007);
    CHECK(target->token_file == "/secret/token");

    const std::string off = folder.file("off.yaml", "admin: off\n" + rest);
    CHECK(!find_target({off, "", ""}, said.console));
    CHECK(said.err.str() ==
          "scrollgate: " + off + " says admin: off, so there is nothing to talk to\n");
}
