// `scrollgate demo`: origins, proxy and the page that explains them, in one process.
#pragma once

namespace scrollgate::demo {

/// Serves on 127.0.0.1:8080 or the next free port until a signal comes; with `print_config`, prints
/// the configuration instead. Returns the exit code.
[[nodiscard]] int run_demo(bool print_config);

}  // namespace scrollgate::demo
