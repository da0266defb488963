// What `scrollgate demo` shows: the configuration that puts the proxy in front of the three
// origins, and the page that says what to open and what to try. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/demo/demo_origins.hpp"

namespace scrollgate::demo {

/// Where the demo's proxy listens, on 127.0.0.1.
struct Ports {
    std::uint16_t proxy = 8080;
    std::uint16_t admin = 9528;  ///< 0: no admin address
};

/// The YAML of a three-cloud edge in front of these origins; what `--print-config` prints.
[[nodiscard]] std::string demo_yaml(const std::vector<Origin>& origins, Ports ports);

/// The text for the terminal. Its first URL is the proxy's, followed by a line end; no colours.
[[nodiscard]] std::string demo_banner(const std::vector<Origin>& origins, Ports ports);

}  // namespace scrollgate::demo
