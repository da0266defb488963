#include "proxy/demo/presentation.hpp"

#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace scrollgate::demo {

std::string demo_yaml(const std::vector<Origin>& origins, Ports ports) {
    std::string out = fmt::format("listeners:\n  - address: 127.0.0.1:{}\n", ports.proxy);
    if (ports.admin == 0) {
        out += "admin: off\n";
    } else {
        fmt::format_to(std::back_inserter(out), "admin: {{ address: 127.0.0.1:{} }}\n",
                       ports.admin);
    }
    out += "access_log: { format: off }        # json or combined shows each request\n";

    std::vector<std::string> names;
    out += "pools:\n";
    for (const Origin& origin : origins) {
        names.push_back(origin.provider);
        fmt::format_to(std::back_inserter(out),
                       "  {0}:\n    provider: {0}\n    region: {1}\n    endpoints: [ \"{2}\" ]\n",
                       origin.provider, origin.region, origin.address.text());
    }

    out += "routes:\n";
    for (const std::string& name : names) {
        fmt::format_to(std::back_inserter(out),
                       "  - name: only-{0}                 # /{0}/headers asks this cloud alone\n"
                       "    match: {{ path_prefix: /{0} }}\n"
                       "    pools: [ {0} ]\n"
                       "    rewrite: {{ strip_prefix: /{0} }}\n",
                       name);
    }
    fmt::format_to(std::back_inserter(out), "  - name: everything\n    pools: [ {} ]\n",
                   fmt::join(names, ", "));
    return out;
}

std::string demo_banner(const std::vector<Origin>& origins, Ports ports) {
    std::vector<std::string> clouds;
    for (const Origin& origin : origins) {
        clouds.push_back(fmt::format("{} ({} ms)", origin.provider, origin.latency.count()));
    }
    const std::string proxy = fmt::format("http://127.0.0.1:{}", ports.proxy);
    std::string out =
        fmt::format(R"(Scrollgate stands in front of three origins in this process: {0}

Open
  {1}/

Try
  curl -i {1}/metadata/scrolls/1.json    # NFT-style metadata; X-Cloud says who answered
  curl -i {1}/azure/headers              # one cloud alone, and what it sees of a request
  curl -i '{1}/fail?status=503&share=0.5'    # an origin that fails every second time
  curl -o saved.bin {1}/files/10m.bin    # a larger download
)",
                    fmt::join(clouds, ", "), proxy);
    if (ports.admin != 0) {
        fmt::format_to(std::back_inserter(out), R"(
Look at
  http://127.0.0.1:{0}/api/v1/status    # pools and routes with their figures
  http://127.0.0.1:{0}/metrics          # the same for Prometheus
)",
                       ports.admin);
    }
    out += "\n`scrollgate demo --print-config` prints the configuration. Ctrl-C stops.\n";
    return out;
}

}  // namespace scrollgate::demo
