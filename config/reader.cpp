#include "config/reader.hpp"

#include <fmt/format.h>

#include "config/environment.hpp"

namespace scrollgate::config {
namespace {

std::uint64_t packed(Mark mark) {
    return (static_cast<std::uint64_t>(mark.line) << 32) | static_cast<std::uint32_t>(mark.column);
}

void collect(const Value& value, std::unordered_set<std::uint64_t>& marks) {
    marks.insert(packed(value.mark));
    for (const ValuePtr& item : value.items)
        collect(*item, marks);
    for (const Value::Entry& entry : value.entries) {
        marks.insert(packed(entry.mark));
        collect(*entry.value, marks);
    }
}

/// Path segments come from the file: keep them readable and short.
std::string shown(std::string_view name) {
    if (!name.empty() && name.size() <= 60 && !has_control(name)) return std::string(name);
    return quoted(name);
}

}  // namespace

Reader::Step::~Step() {
    reader_.path_.resize(length_);
    reader_.concrete_.pop_back();
    reader_.pattern_.pop_back();
}

Reader::Step Reader::step(const std::string& added, std::string_view pattern, const Value& value) {
    const std::size_t length = path_.size();
    if (pattern != "[]" && !path_.empty()) path_ += '.';
    path_ += added;
    concrete_.push_back(added);
    pattern_.emplace_back(pattern);
    places_.emplace(path_, value.mark);
    return {*this, length};
}

Reader::Step Reader::key(std::string_view name, const Value& value) {
    return step(std::string(name), name, value);
}

Reader::Step Reader::name(std::string_view name, const Value& value) {
    return step(shown(name), "*", value);
}

Reader::Step Reader::index(std::size_t index, const Value& value) {
    return step(fmt::format("[{}]", index), "[]", value);
}

void Reader::error(Mark mark, std::string message) {
    if (!in_defaults_ && default_marks_.contains(packed(mark))) return;
    problems_.push_back(
        {Problem::Severity::error, mark.line, mark.column, path_, std::move(message)});
}

void Reader::missing(const Value& map, std::string_view key) {
    if (in_defaults_) return;
    problems_.push_back({Problem::Severity::error, map.mark.line, map.mark.column, path_,
                         fmt::format("{} is missing", key)});
}

void Reader::doubled(const Value& map) {
    for (const Value::Doubled& again : map.doubled) {
        const Step at = name(again.key, map);
        error(again.mark, fmt::format("this key stands twice; first in line {}", again.first.line));
    }
}

void Reader::unknown_key(Mark mark, std::string_view name,
                         const std::vector<const KeyInfo*>& known) {
    const std::string hint = suggest_key(name, known, root_, pattern_, concrete_);
    std::string message = "unknown key" + hint;
    if (hint.empty()) {
        message += "; possible here: ";
        for (const KeyInfo* info : known) {
            if (info != known.front()) message += ", ";
            message += info->name;
        }
    }
    const Step at = this->name(name, Value{});
    error(mark, std::move(message));
}

std::optional<std::string> Reader::scalar(const Value& value, std::string_view example) {
    const char* what = value.is_null()       ? "empty"
                       : value.is_sequence() ? "a list, where one value is meant"
                                             : "a map, where one value is meant";
    if (!value.is_scalar()) {
        error(value, fmt::format("{}; write for example {}", what, example));
        return std::nullopt;
    }
    if (!value.tag.empty()) {
        error(value, fmt::format("the tag {} means nothing here; remove it", quoted(value.tag)));
        return std::nullopt;
    }
    Parsed<std::string> text = expand_variables(value.text);
    if (!text.value) error(value, std::move(text.wrong));
    return std::move(text.value);
}

bool Reader::is_list(const Value& value, std::string_view example) {
    if (value.is_sequence() || value.is_null()) return true;
    error(value, fmt::format("a list is meant here; write for example {}", example));
    return false;
}

bool Reader::is_section(const Value& value, std::string_view example) {
    if (value.is_map() || value.is_null()) return true;
    error(value, fmt::format("keys with values are meant here; write for example {}", example));
    return false;
}

void Reader::enter_defaults(const Value& value) {
    in_defaults_ = true;
    collect(value, default_marks_);
}

bool Reader::from_defaults(const std::string& path) const {
    const auto found = places_.find(path);
    return found != places_.end() && default_marks_.contains(packed(found->second));
}

Mark Reader::place(std::string path) const {
    while (true) {
        const auto found = places_.find(path);
        if (found != places_.end() && found->second.line > 0) return found->second;
        const std::size_t cut = path.find_last_of(".[");
        if (cut == path.npos) return {1, 1};
        path.resize(cut);
    }
}

}  // namespace scrollgate::config
