#include "config/paths.hpp"

#include <cstdlib>

#include <unistd.h>

namespace scrollgate::config {

std::string default_token_file() {
    if (geteuid() == 0) return "/run/scrollgate/token";
    // Never a shared folder such as /tmp, where somebody else could have put the file before us.
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime == '/')
        return std::string(runtime) + "/scrollgate/token";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return std::string(home) + "/.local/state/scrollgate/token";
    return "scrollgate.token";
}

}  // namespace scrollgate::config
