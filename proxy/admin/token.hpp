// The admin token: a file with a secret that commands and the server share.
#pragma once

#include <string>
#include <string_view>

namespace scrollgate {

struct Token {
    std::string secret;  ///< valid if `error` is empty
    std::string error;   ///< what, where and what to do
};

/// Reads the token file, or makes it: 64 hex digits from the kernel, mode 0600, its folder too
/// (0700; 0755 for root, whose /run/scrollgate others may pass through). A file that others could
/// read or write, or that somebody else owns, is refused. Blocks on files; start-up only.
[[nodiscard]] Token make_or_read_token(const std::string& file);

/// Reads it only: for commands. The same checks but for the owner.
[[nodiscard]] Token read_token(const std::string& file);

/// Compares in a time that does not depend on where the texts differ.
[[nodiscard]] bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace scrollgate
