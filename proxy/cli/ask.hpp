// One request of a command to the admin address, and what goes wrong on the way.
#pragma once

#include <string>

#include "proxy/cli/admin_client.hpp"

namespace scrollgate {

struct Question {
    std::string method = "GET";
    std::string path;
    std::string body{};                     ///< empty: none
    bool token_needed = false;              ///< without it, it is sent if it can be read
    std::string type = "application/json";  ///< of the body
};

struct Asked {
    bool answered = false;  ///< else the console has been told
    unsigned status = 0;
    std::string body;
};

/// Blocks until the answer is there. A token that is missing or wrong, and nobody at the address,
/// are told with what to do.
[[nodiscard]] Asked ask(const AdminTarget& target, Question question, const Console& console);

/// Tells the console of an answer that makes no sense. Returns the exit code, 1.
[[nodiscard]] int unexpected(const AdminTarget& target, const Asked& asked, const Console& console);

/// "127.0.0.1:9528", "[::1]:9528"
[[nodiscard]] std::string address_text(const AdminTarget& target);

/// `text` without the bytes that a terminal might obey.
[[nodiscard]] std::string printable(std::string text);

}  // namespace scrollgate
