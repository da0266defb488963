// The commands that talk to a running scrollgate, status and reload, and how they find it.
//
// Blocking; for the command line only. Return values are exit codes: 0 done, 1 refused or failed.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace scrollgate {

/// What the command line gave; empty means not given.
struct TargetOptions {
    std::string config_file;  ///< -c
    std::string admin;        ///< --admin HOST[:PORT]
    std::string token_file;   ///< --token-file
};

/// Where to ask, and with which secret.
struct AdminTarget {
    std::string host;
    std::uint16_t port = 0;
    std::string token_file;
};

/// Where a command writes.
struct Console {
    std::ostream& out;
    std::ostream& err;
    bool colour = false;
    bool terminal = false;  ///< `out` is one
};

/// Standard output and error; coloured on a terminal unless NO_COLOR is set.
[[nodiscard]] Console standard_console();

/// From --admin and --token-file; what they leave open comes from the admin section of -c, or of
/// the default file if that can be read, else from the defaults. A wildcard address becomes
/// loopback. Nothing if that gives no target; the console has been told why.
[[nodiscard]] std::optional<AdminTarget> find_target(const TargetOptions& options,
                                                     const Console& console);

/// Prints the status: a table for people, or the API's JSON as it came.
[[nodiscard]] int run_status(const AdminTarget& target, bool json, const Console& console);

/// Asks for a reload; prints every error as FILE:LINE:COL: path: message.
[[nodiscard]] int run_reload(const AdminTarget& target, const Console& console);

}  // namespace scrollgate
