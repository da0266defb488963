// A command that changes something: asks, and says what came of it. Blocking; command line only.
#pragma once

#include <cstdint>
#include <exception>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/ostream.h>

#include "proxy/cli/ask.hpp"

namespace scrollgate::cli {

/// A member that has to be there; throws std::exception if it is not, or is something else.
[[nodiscard]] inline std::string text(const boost::json::object& object, std::string_view key) {
    return printable(std::string(object.at(key).as_string()));
}
[[nodiscard]] inline std::uint64_t number(const boost::json::object& object, std::string_view key) {
    return object.at(key).to_number<std::uint64_t>();
}

/// Tells the console what the API says against it. Throws std::exception if it is of another shape.
inline void print_refusal(const Asked& asked, const Console& console) {
    const boost::json::value answer = boost::json::parse(asked.body);
    fmt::print(console.err, "scrollgate: {}\n", text(answer.as_object(), "message"));
}

/// Asks, and has `print(object)` say what came of it; what the API refuses is said in its words.
/// Returns the exit code.
[[nodiscard]] int change(const AdminTarget& target, Question question, const Console& console,
                         const auto& print) {
    question.token_needed = true;
    const Asked asked = ask(target, std::move(question), console);
    if (!asked.answered) return 1;
    try {
        if (asked.status >= 400) {
            print_refusal(asked, console);
            return 1;
        }
        print(boost::json::parse(asked.body).as_object());
    } catch (const std::exception&) {  // not of the known shape
        return unexpected(target, asked, console);
    }
    console.out << std::flush;
    return 0;
}

}  // namespace scrollgate::cli
