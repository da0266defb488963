#include "proxy/routing/transform.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <re2/re2.h>

#include "core/dash_form.hpp"
#include "proxy/routing/path.hpp"

namespace scrollgate {
namespace {

/// `path` from its last leading slash on: "//x" is "/x".
std::string_view one_leading_slash(std::string_view path) noexcept {
    const std::size_t first = std::min(path.find_first_not_of('/'), path.size());
    return path.substr(first > 0 ? first - 1 : 0);
}

std::string stripped_prefix(const std::string& configured) {
    std::string storage;
    const auto normal = normalise_path(configured, storage);
    std::string prefix = normal.has_value() ? std::string(*normal) : configured;
    while (prefix.ends_with('/'))
        prefix.pop_back();
    return prefix;
}

void check_target(const config::Rewrite& rewrite, const re2::RE2& regex) {
    std::string why;
    if (!regex.ok()) throw std::invalid_argument("rewrite " + rewrite.regex + ": " + regex.error());
    if (!regex.CheckRewriteString(rewrite.to, &why)) {
        throw std::invalid_argument("rewrite to " + rewrite.to + ": " + why);
    }
    const bool unfit = std::any_of(rewrite.to.begin(), rewrite.to.end(), [](char c) {
        return c == '?' || c == '#' || static_cast<unsigned char>(c) <= 0x20 ||
               static_cast<unsigned char>(c) >= 0x7f;
    });
    if (unfit) {
        throw std::invalid_argument("rewrite to " + rewrite.to +
                                    ": a path has no '?', '#', white space or non-ASCII bytes");
    }
}

}  // namespace

struct PathRewrite::Impl {
    std::string prefix;
    std::unique_ptr<re2::RE2> regex;
    std::string to;
};

PathRewrite::PathRewrite(const config::Rewrite& rewrite) : impl_(std::make_unique<Impl>()) {
    impl_->prefix = stripped_prefix(rewrite.strip_prefix);
    if (rewrite.regex.empty()) return;
    impl_->regex = std::make_unique<re2::RE2>(rewrite.regex, re2::RE2::Quiet);
    impl_->to = rewrite.to;
    check_target(rewrite, *impl_->regex);
}

PathRewrite::~PathRewrite() = default;
PathRewrite::PathRewrite(PathRewrite&&) noexcept = default;
PathRewrite& PathRewrite::operator=(PathRewrite&&) noexcept = default;

Result<std::string_view> PathRewrite::apply(std::string_view path, std::string& storage) const {
    const std::string& prefix = impl_->prefix;
    if (!prefix.empty() && path.starts_with(prefix)) {
        const std::string_view rest = path.substr(prefix.size());
        if (rest.empty()) return std::string_view("/");
        if (rest.front() == '/') path = one_leading_slash(rest);
    }
    if (!impl_->regex) return path;

    std::array<re2::StringPiece, 10> groups;  // the match and \1 ... \9
    const int wanted = 1 + re2::RE2::MaxSubmatch(impl_->to);
    const re2::StringPiece text(path.data(), path.size());
    if (!impl_->regex->Match(text, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), wanted)) {
        return path;
    }
    const auto match_begin = static_cast<std::size_t>(groups[0].data() - path.data());
    std::string made = "/";
    made.append(path.substr(0, match_begin));
    impl_->regex->Rewrite(&made, impl_->to, groups.data(), wanted);
    made.append(path.substr(match_begin + groups[0].size()));
    const auto normal = normalise_path(one_leading_slash(made), storage);
    if (normal.has_error()) return normal.error();
    if (normal->data() != storage.data()) storage.assign(*normal);
    return std::string_view(storage);
}

void apply(const config::HeaderRules& rules, HeaderList& fields) {
    for (const std::string& name : rules.remove)
        fields.remove(name);
    for (const auto& [name, value] : rules.set)
        fields.remove(name);
    for (const auto& [name, value] : rules.set)
        fields.add(name, value);
    for (const auto& [name, value] : rules.add)
        fields.add(name, value);
}

void remove_disguised(const config::HeaderRules& rules, HeaderList& fields) {
    fields.remove_if([&rules](const HeaderField& field) {
        if (!has_underscore(field.name)) return false;
        const DashForm form(field.name);
        const auto is = [&form](std::string_view name) { return form.is(name); };
        const auto sets = [&form](const auto& rule) { return form.is(rule.first); };
        return std::any_of(rules.remove.begin(), rules.remove.end(), is) ||
               std::any_of(rules.set.begin(), rules.set.end(), sets) ||
               std::any_of(rules.add.begin(), rules.add.end(), sets);
    });
}

namespace {

void append_safe(std::string_view text, std::string& out) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool unsafe = byte <= 0x20 || byte >= 0x7f || c == '\\' || c == '"' || c == '<' ||
                            c == '>' || c == '^' || c == '`';
        if (unsafe) {
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
        } else {
            out.push_back(c);
        }
    }
}

std::string_view host_of(std::string_view authority) noexcept {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

/// Appends what `name` stands for; false if no such value exists.
bool append_value(std::string_view name, std::string_view scheme, const RequestHead& head,
                  std::string& out) {
    const std::string_view path = head.path.starts_with('/') ? head.path : "/";
    if (name == "scheme") {
        append_safe(scheme, out);
    } else if (name == "host") {
        append_safe(host_of(head.authority), out);
    } else if (name == "path") {
        append_safe(path, out);
    } else if (name == "query") {
        append_safe(head.query, out);
    } else if (name == "uri") {
        append_safe(path, out);
        if (head.has_query) out.push_back('?');
        append_safe(head.query, out);
    } else {
        return false;
    }
    return true;
}

}  // namespace

std::string redirect_location(const config::Redirect& redirect, std::string_view scheme,
                              const RequestHead& head) {
    std::string out;
    for (std::string_view rest = redirect.to; !rest.empty();) {
        const std::size_t open = std::min(rest.find('{'), rest.size());
        append_safe(rest.substr(0, open), out);
        rest.remove_prefix(open);
        const std::size_t close = rest.find('}');
        if (close != std::string_view::npos &&
            append_value(rest.substr(1, close - 1), scheme, head, out)) {
            rest.remove_prefix(close + 1);
        } else if (!rest.empty()) {
            out.push_back('{');
            rest.remove_prefix(1);
        }
    }
    if (out.starts_with("//") && !redirect.to.starts_with("//"))
        return std::string(one_leading_slash(out));
    return out;
}

}  // namespace scrollgate
