// The URLs that stand in a configuration: who is probed, who is told. Stateless, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/scalars.hpp"

namespace scrollgate::config {

struct Scheme {
    std::string_view name;
    std::uint16_t port = 0;  ///< where a URL names none; 0: it has to
    bool path = false;       ///< may a path follow?
};

struct Url {
    std::string scheme;
    std::string host;  ///< name or IP literal, without brackets
    std::uint16_t port = 0;
    std::string path;  ///< origin-form target with its query, "/" at least; empty without paths
};

/// `text` as a URL of one of `schemes`; `example` is shown where it is none. Credentials and
/// fragments are refused.
[[nodiscard]] Parsed<Url> parse_url(const std::string& text, const std::vector<Scheme>& schemes,
                                    std::string_view example);

/// As it may be shown: a query, in which tokens stand, reads "?(hidden)", or another `word`.
[[nodiscard]] std::string without_query(const std::string& url, std::string_view word = "hidden");

/// What is wrong with an origin-form target (RFC 9112 3.2.1); empty: nothing.
[[nodiscard]] std::string wrong_target(const std::string& target);

}  // namespace scrollgate::config
