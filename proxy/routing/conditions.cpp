#include "proxy/routing/conditions.hpp"

#include <algorithm>
#include <stdexcept>

#include <re2/re2.h>

#include "core/percent.hpp"

namespace scrollgate {
namespace {

/// Whether `text`, decoded, equals `plain`; decodes as it goes, so that nothing is copied.
bool decoded_equals(std::string_view text, std::string_view plain) noexcept {
    std::size_t done = 0;
    for (std::size_t i = 0; i < text.size(); ++i, ++done) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            if (const int byte = escape_at(text, i); byte >= 0) {
                c = static_cast<char>(byte);
                i += 2;
            }
        }
        if (done == plain.size() || plain[done] != c) return false;
    }
    return done == plain.size();
}

}  // namespace

Conditions::Conditions(const config::Match& match)
    : listener_(match.listener), methods_(match.methods), query_(match.query) {
    for (const auto& [name, value] : match.headers) {
        headers_.push_back({name, value, field_id(name)});
    }
    if (match.path_regex.empty()) return;
    path_regex_ = std::make_unique<re2::RE2>(match.path_regex, re2::RE2::Quiet);
    if (!path_regex_->ok()) {
        throw std::invalid_argument("path_regex " + match.path_regex + ": " + path_regex_->error());
    }
}

Conditions::~Conditions() = default;
Conditions::Conditions(Conditions&&) noexcept = default;

bool Conditions::hold(std::string_view listener, std::string_view path,
                      const RequestHead& head) const {
    if (!listener_.empty() && listener_ != listener) return false;
    if (!methods_.empty() &&
        std::find(methods_.begin(), methods_.end(), head.method_text) == methods_.end()) {
        return false;
    }
    for (const Header& wanted : headers_) {
        if (!has(head.fields, wanted)) return false;
    }
    for (const auto& [name, value] : query_) {
        if (!query_has(head.query, name, value)) return false;
    }
    if (!path_regex_) return true;
    return path.starts_with('/') &&
           re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *path_regex_);
}

bool Conditions::has(const HeaderList& fields, const Header& wanted) noexcept {
    return std::any_of(fields.begin(), fields.end(), [&](const HeaderField& field) {
        return field.id == wanted.id && field.value == wanted.value &&
               (wanted.id != Field::unknown || equal_no_case(field.name, wanted.name));
    });
}

bool query_has(std::string_view query, std::string_view name, std::string_view value) noexcept {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view parameter = query.substr(0, end);
        const std::size_t equals = std::min(parameter.find('='), parameter.size());
        if (!parameter.empty() && decoded_equals(parameter.substr(0, equals), name)) {
            const std::size_t begin = std::min(equals + 1, parameter.size());
            return decoded_equals(parameter.substr(begin), value);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return false;
}

}  // namespace scrollgate
