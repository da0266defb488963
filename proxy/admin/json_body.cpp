#include "proxy/admin/json_body.hpp"

#include <algorithm>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "config/scalars.hpp"
#include "config/suggest.hpp"

namespace scrollgate {
namespace {

namespace json = boost::json;

/// How many keys the object `text`, which is JSON, has itself. The parser keeps the last of two
/// that are the same, and which one was meant nobody knows.
std::size_t keys_of(std::string_view text) {
    std::size_t keys = 0, depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted && c == '\\') {
            ++i;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            if (c == ':' && depth == 1) ++keys;
        }
    }
    return keys;
}

}  // namespace

JsonBody::JsonBody(std::string_view text, const std::vector<std::string_view>& known,
                   std::string_view example)
    : example_(example) {
    read(text, known);
}

void JsonBody::fail(const std::string& why) {
    if (!wrong_.empty()) return;
    wrong_ = why;
    if (!example_.empty()) wrong_ += fmt::format("; send such as {}", example_);
}

std::string JsonBody::text(std::string_view key) {
    const json::value* value = find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return std::string(value->as_string());
    fail(fmt::format("{} must be a text", key));
    return {};
}

bool JsonBody::flag(std::string_view key, bool otherwise) {
    const json::value* value = find(key);
    if (value == nullptr) return otherwise;
    if (value->is_bool()) return value->as_bool();
    fail(fmt::format("{} must be true or false", key));
    return otherwise;
}

void JsonBody::read(std::string_view text, const std::vector<std::string_view>& known) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error) return fail(fmt::format("the body is not JSON: {}", error.message()));
    if (!value.is_object()) return fail("the body must be an object");
    members_ = std::move(value.as_object());
    if (keys_of(text) > members_.size()) return fail("a key stands in the body twice");
    for (const auto& member : members_) {
        const std::string_view key = member.key();
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        return fail(fmt::format("there is no key {} here{}", config::quoted(key),
                                config::did_you_mean(key, known)));
    }
}

}  // namespace scrollgate
