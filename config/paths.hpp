// Where files are when nobody says. The command line and the loader ask the same functions.
#pragma once

#include <string>

namespace scrollgate::config {

inline constexpr const char* default_config_file = "/etc/scrollgate/scrollgate.yaml";

/// The admin token: /run/scrollgate/token for root, else $XDG_RUNTIME_DIR/scrollgate/token, else
/// $HOME/.local/state/scrollgate/token, else scrollgate.token in the working folder.
[[nodiscard]] std::string default_token_file();

}  // namespace scrollgate::config
