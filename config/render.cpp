// Value trees as YAML text. What is written here reads back as the same tree.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "config/document.hpp"

namespace scrollgate::config {
namespace {

bool is_letter_or_digit(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Can `text` stand without quotes? Narrower than YAML allows: only what is plainly safe.
bool is_plain(std::string_view text) noexcept {
    if (text.empty() || text == "null" || text == "Null" || text == "NULL") return false;
    if (!is_letter_or_digit(text.front()) && text.front() != '/') return false;
    if (text.back() == ':') return false;
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || std::string_view("_-./:%+=").find(c) != std::string::npos;
    });
}

void append_scalar(std::string& out, std::string_view text) {
    if (is_plain(text)) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7f) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    out += '"';
}

bool is_empty_or_scalar(const Value& value) noexcept {
    return value.items.empty() && value.entries.empty();
}

void append(std::string& out, const Value& value, std::size_t indent);

void append_map(std::string& out, const Value& map, std::size_t indent) {
    bool first = true;
    for (const Value::Entry& entry : map.entries) {
        if (!first) out.append(indent, ' ');
        first = false;
        append_scalar(out, entry.key);
        out += ':';
        if (is_empty_or_scalar(*entry.value)) {
            out += ' ';
        } else {
            out += '\n';
            out.append(indent + 2, ' ');
        }
        append(out, *entry.value, indent + 2);
    }
}

void append_sequence(std::string& out, const Value& sequence, std::size_t indent) {
    bool first = true;
    for (const ValuePtr& item : sequence.items) {
        if (!first) out.append(indent, ' ');
        first = false;
        out += "- ";
        append(out, *item, indent + 2);
    }
}

/// Writes `value` where the caret stands at column `indent`; ends with a line end.
void append(std::string& out, const Value& value, std::size_t indent) {
    switch (value.kind) {
        case Value::Kind::null:
            out += "~\n";
            return;
        case Value::Kind::scalar:
            append_scalar(out, value.text);
            out += '\n';
            return;
        case Value::Kind::sequence:
            if (value.items.empty())
                out += "[]\n";
            else
                append_sequence(out, value, indent);
            return;
        case Value::Kind::map:
            if (value.entries.empty())
                out += "{}\n";
            else
                append_map(out, value, indent);
            return;
    }
}

}  // namespace

ValuePtr make_scalar(std::string text) {
    auto value = std::make_shared<Value>();
    value->kind = Value::Kind::scalar;
    value->text = std::move(text);
    return value;
}

ValuePtr make_sequence(std::vector<ValuePtr> items) {
    auto value = std::make_shared<Value>();
    value->kind = Value::Kind::sequence;
    value->items = std::move(items);
    return value;
}

ValuePtr make_map(std::vector<Value::Entry> entries) {
    auto value = std::make_shared<Value>();
    value->kind = Value::Kind::map;
    value->entries = std::move(entries);
    return value;
}

std::string render(const Value& value) {
    std::string out;
    append(out, value, 0);
    return out;
}

}  // namespace scrollgate::config
