#include "config/text_check.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace scrollgate::config {
namespace {

/// Length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const unsigned second = byte(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90))
        return 0;
    return length;
}

Problem problem_at(Mark mark, std::string message) {
    return {Problem::Severity::error, mark.line, mark.column, "", std::move(message)};
}

/// The first line up to `last` whose indentation holds a tab.
std::optional<Problem> tab_in_indentation(std::string_view text, std::size_t last) {
    std::size_t number = 0;
    while (number <= last) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        const std::size_t content = line.find_first_not_of(" \t\r");
        const std::size_t tab = line.find('\t');
        if (content != line.npos && tab < content && line[content] != '#')
            return problem_at({number + 1, tab + 1},
                              "a tab in the indentation; YAML indents with spaces only");
        if (end == text.npos) break;
        text.remove_prefix(end + 1);
        ++number;
    }
    return std::nullopt;
}

struct Wording {
    std::string_view complaint;  // part of yaml-cpp's text
    std::string_view words;
};

constexpr std::array wordings = {
    Wording{"illegal map value",
            "a ':' is not expected here; is the line indented like its neighbours, or does a text "
            "that holds ': ' need quotes?"},
    Wording{"end of map not found",
            "this line does not continue the block above it; is it indented like its neighbours, "
            "and does a ':' follow each key?"},
    Wording{"end of sequence not found",
            "this line does not continue the list above it; is it indented like its neighbours?"},
    Wording{"end of map flow not found", "a '{' or a quote is not closed, or a ',' is missing"},
    Wording{"end of sequence flow not found",
            "a '[' or a quote is not closed, or a ',' is missing"},
    Wording{"illegal flow end", "this bracket closes nothing; another kind may be open before it"},
    Wording{"illegal block entry", "a '-' is not expected here; is it indented like the others?"},
    Wording{"illegal map key", "a '?' is not expected here"},
    Wording{"unknown token", "a value cannot start with this character; put the text in quotes"},
    Wording{"illegal EOF in scalar", "the quotes around a text are not closed"},
    Wording{"illegal document indicator in scalar", "the quotes around a text are not closed"},
    Wording{"unknown escape character",
            "an unknown escape; write \\\\ for a backslash in double quotes, or use single quotes"},
    Wording{"bad character found while scanning hex", "an escape with a digit that is not hex"},
    Wording{"invalid unicode", "an escape that is no Unicode character"},
    Wording{"the referenced anchor is not defined",
            "'*' names an anchor that no '&' before it defines; for a pattern use quotes: "
            "\"*.example.com\""},
    Wording{"alias not found after *",
            "'*' starts an alias and needs a name; for a plain star use "
            "quotes: \"*\""},
    Wording{"anchor not found after &",
            "'&' starts an anchor and needs a name; put the text in "
            "quotes"},
    Wording{"illegal character found while scanning alias",
            "'*' starts an alias whose name holds only plain characters; for a pattern use quotes: "
            "\"*.example.com\""},
    Wording{"cannot assign multiple anchors", "two anchors on one value"},
    Wording{"cannot assign multiple tags", "two tags on one value"},
    Wording{"aliases can't have any content", "an alias can have no tag or anchor of its own"},
    Wording{"repeated YAML directive", "the %YAML line stands twice"},
    Wording{"YAML directives must have", "a %YAML line needs exactly one version"},
    Wording{"bad YAML version", "an unreadable version in the %YAML line"},
    Wording{"YAML major version too large", "a %YAML version above 1"},
    Wording{"block-scalar", "an unreadable header of a block text; write | or >"},
    Wording{"nothing in block scalar", "an unreadable header of a block text; write | or >"},
    Wording{"unexpected character in block scalar",
            "an unreadable header of a block text; write | or > and start the text on the next "
            "line"},
};

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::optional<Problem> check_bytes(std::string_view text) {
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        return problem_at({1, 1}, "the file is UTF-16; save it as UTF-8");
    Mark mark{1, 1};
    while (!text.empty()) {
        const auto byte = static_cast<unsigned char>(text.front());
        if (byte == '\n') {
            ++mark.line;
            mark.column = 0;
        } else if ((byte < 0x20 && byte != '\t' && byte != '\r') || byte == 0x7f) {
            return problem_at(mark, fmt::format("a control byte (0x{:02x}); is this a text file? "
                                                "in double quotes write \\x{:02x}",
                                                byte, byte));
        }
        const std::size_t length = sequence_length(text);
        if (length == 0)
            return problem_at(mark,
                              fmt::format("a byte (0x{:02x}) that is not UTF-8; save the file "
                                          "as UTF-8",
                                          byte));
        text.remove_prefix(length);
        ++mark.column;
    }
    return std::nullopt;
}

Mark place_of(std::string_view line_text, std::size_t line, std::size_t byte_column) {
    const std::string_view before = line_text.substr(0, byte_column);
    const auto continuation = std::count_if(before.begin(), before.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    });
    return {line + 1, byte_column + 1 - static_cast<std::size_t>(continuation)};
}

std::string_view line_of(std::string_view text, std::size_t line) noexcept {
    for (; line > 0; --line) {
        const std::size_t end = text.find('\n');
        if (end == text.npos) return {};
        text.remove_prefix(end + 1);
    }
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

Problem explain_syntax(std::string_view text, const std::string& complaint, std::size_t line,
                       std::size_t byte_column) {
    if (auto tab = tab_in_indentation(text, line)) return *tab;
    const std::string_view line_text = line_of(text, line);
    const Mark mark = place_of(line_text, line, byte_column);
    if (line_text.find("${") != line_text.npos &&
        line_text.find_first_of("{[") < line_text.find("${"))
        return problem_at(mark, "inside { } and [ ] a variable needs quotes: \"${NAME}\"");
    for (const Wording& wording : wordings)
        if (complaint.find(wording.complaint) != complaint.npos)
            return problem_at(mark, std::string(wording.words));
    return problem_at(mark, "not YAML: " + complaint);
}

}  // namespace scrollgate::config
