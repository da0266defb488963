// The demo's page for the terminal and its configuration.
#include "proxy/demo/presentation.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "config/loader.hpp"

using namespace scrollgate;
using namespace scrollgate::demo;

namespace {

std::vector<Origin> origins() {
    std::vector<Origin> three;
    std::uint16_t port = 40001;
    for (const char* name : {"aws", "gcp", "azure"}) {
        three.push_back({name, std::string("region-") + name,
                         *SocketAddress::from_ip("127.0.0.1", port++),
                         std::chrono::milliseconds(2)});
    }
    return three;
}

}  // namespace

TEST_CASE("the first URL that the demo prints is the proxy's, alone on the rest of its line") {
    const std::string banner = demo_banner(origins(), {8081, 9529});
    const std::size_t first = banner.find("http://");
    REQUIRE(first != std::string::npos);
    const std::string expected = "http://127.0.0.1:8081/\n";
    CHECK(banner.substr(first, expected.size()) == expected);
    CHECK(banner.find('\x1b') == std::string::npos);
}

TEST_CASE("the demo's page has four curl lines and names the admin address only if there is one") {
    const auto curls = [](const std::string& text) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find("\n  curl ", at)) != text.npos; ++at)
            ++count;
        return count;
    };
    const std::string with = demo_banner(origins(), {8080, 9528});
    CHECK(curls(with) == 4);
    CHECK(with.find("http://127.0.0.1:9528/api/v1/status") != std::string::npos);
    CHECK(with.find("http://127.0.0.1:9528/metrics") != std::string::npos);
    const std::string without = demo_banner(origins(), {8080, 0});
    CHECK(curls(without) == 4);
    CHECK(without.find("metrics") == std::string::npos);
}

TEST_CASE("the demo's configuration has a pool per cloud and a route over all of them") {
    const std::string yaml = demo_yaml(origins(), {8080, 0});
    CHECK(yaml.find("address: 127.0.0.1:8080\n") != std::string::npos);
    CHECK(yaml.find("admin: off\n") != std::string::npos);
    CHECK(yaml.find("provider: azure\n    region: region-azure\n"
                    "    endpoints: [ \"127.0.0.1:40003\" ]\n") != std::string::npos);
    CHECK(yaml.find("pools: [ aws, gcp, azure ]\n") != std::string::npos);
}

TEST_CASE("the loader has nothing to say about the demo's configuration") {
    for (const Ports ports : {Ports{8080, 9528}, Ports{8080, 0}}) {
        const config::Loaded loaded = config::load_text(demo_yaml(origins(), ports));
        for (const config::Problem& problem : loaded.problems) {
            FAIL_CHECK(config::to_text(problem, "demo"));
        }
        CHECK(loaded.config.pools.size() == 3);
        CHECK(loaded.config.routes.size() == 4);
        CHECK(loaded.config.admin.has_value() == (ports.admin != 0));
    }
}
