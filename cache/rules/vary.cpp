// Variants: their lines, and who matches them.
#include "cache/rules/vary.hpp"

#include <array>

#include "cache/rules/selecting.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

/// tchar (RFC 9110 section 5.6.2).
bool is_token(std::string_view text) noexcept {
    for (const char c : text) {
        const bool alnum =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return !text.empty();
}

void append_line(std::string& lines, std::string_view name, const HeaderList& request) {
    for (const char c : name)
        lines += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    append_selecting_value(lines, name, request);
    lines += '\n';
}

struct Coding {
    std::string_view name;
    unsigned bit;
};
constexpr std::array<Coding, 4> codings{{{"br", 1}, {"gzip", 2}, {"x-gzip", 2}, {"zstd", 4}}};
constexpr std::array<std::string_view, 8> spelled{
    "identity", "br", "gzip", "br, gzip", "zstd", "br, zstd", "gzip, zstd", "br, gzip, zstd"};

/// The parameters of a coding say q=0.
bool is_refused(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const std::size_t end = parameters.find(';');
        const std::string_view parameter = trim(parameters.substr(0, end));
        parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
        if (parameter.size() < 2 || (parameter.front() | 0x20) != 'q') continue;
        std::string_view weight = trim(parameter.substr(1));
        if (!weight.starts_with('=')) continue;
        weight = trim(weight.substr(1));
        return weight.find_first_not_of("0.") == std::string_view::npos;
    }
    return false;
}

bool is_set_by_proxy(std::string_view name) noexcept {
    constexpr std::string_view prefix = "x-forwarded-";
    if (equal_no_case(name.substr(0, prefix.size()), prefix)) return true;
    if (equal_no_case(name, client_subject_name)) return true;
    const Field id = field_id(name);
    return id == Field::forwarded || id == Field::x_real_ip || id == Field::via ||
           id == Field::x_request_id;
}

/// Nobody else has the value that it has for one client.
bool is_set_for_client(std::string_view name) noexcept {
    const Field id = field_id(name);
    return id == Field::x_forwarded_for || id == Field::forwarded || id == Field::x_real_ip ||
           id == Field::via || id == Field::x_request_id;
}

bool is_changed_by(const config::HeaderRules& rules, std::string_view name) noexcept {
    for (const auto* list : {&rules.set, &rules.add}) {
        for (const auto& field : *list) {
            if (equal_no_case(field.first, name)) return true;
        }
    }
    for (const std::string& removed : rules.remove) {
        if (equal_no_case(removed, name)) return true;
    }
    return false;
}

/// One field with `value` in the place of all with this id, unless that is what is there.
void replace(HeaderList& request, Field id, std::string_view value) {
    if (request.count(id) == 1 && request.value(id) == value) return;
    request.remove(id);
    request.add(id, value);
}

}  // namespace

std::string_view accepted_codings(const HeaderList& request) noexcept {
    bool present = false;
    unsigned accepted = 0;
    unsigned refused = 0;
    for (const HeaderField& field : request) {
        if (field.id != Field::accept_encoding) continue;
        present = true;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view element = pop_first_in_list(rest);
            const std::size_t end = element.find(';');
            const std::string_view name = trim(element.substr(0, end));
            for (const Coding& coding : codings) {
                if (!equal_no_case(name, coding.name)) continue;
                const bool no = end != std::string_view::npos && is_refused(element.substr(end));
                (no ? refused : accepted) |= coding.bit;
            }
        }
    }
    return present ? spelled[accepted & ~refused] : std::string_view{};
}

bool varies_by(std::string_view lines, std::string_view name) noexcept {
    while (!lines.empty()) {
        const std::string_view line = pop_line(lines);
        if (equal_no_case(line.substr(0, line.find(':')), name)) return true;
    }
    return false;
}

CacheReason append_vary(std::string& lines, const HeaderList& response, const HeaderList& request) {
    const std::size_t begin = lines.size();
    std::size_t names = 0;
    const auto refuse = [&lines, begin](CacheReason reason) {
        lines.resize(begin);
        return reason;
    };
    for (const HeaderField& field : response) {
        if (field.id != Field::vary) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view name = pop_first_in_list(rest);
            if (name.empty() || equal_no_case(name, "host")) continue;  // the key has the host
            // "*", and what is no name: nobody knows whom it is for
            if (name == "*" || !is_token(name)) return refuse(CacheReason::vary_all);
            if (varies_by(std::string_view(lines).substr(begin), name)) continue;
            if (++names > limits::cache_vary) return refuse(CacheReason::vary_too_much);
            append_line(lines, name, request);
            if (lines.size() - begin > limits::cache_head) {
                return refuse(CacheReason::vary_too_much);
            }
        }
    }
    return CacheReason::none;
}

std::string variant_of(std::string_view names, const HeaderList& request) {
    std::string lines;
    while (!names.empty())
        append_line(lines, pop_line(names), request);
    return lines;
}

std::string vary_names(std::string_view lines) {
    std::string names;
    while (!lines.empty()) {
        const std::string_view line = pop_line(lines);
        names.append(line.substr(0, line.find(':'))).append(1, '\n');
    }
    return names;
}

bool vary_matches(std::string_view lines, const HeaderList& request) {
    return VaryMatcher(request).matches(lines);
}

bool VaryMatcher::matches(std::string_view lines) {
    while (!lines.empty()) {
        if (!line_matches(pop_line(lines))) return false;
    }
    return true;
}

bool VaryMatcher::line_matches(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool wanted = colon != std::string_view::npos;
    std::string_view rest = wanted ? line.substr(colon + 2) : std::string_view{};
    const Field id = field_id(name);
    if (id == Field::accept_encoding) {
        if (!codings_) codings_ = accepted_codings(request_);
        return wanted != codings_->empty() && *codings_ == rest;
    }
    bool equal = true;
    const bool found = for_selecting_value(request_, name, id, [&](char c) {
        equal = !rest.empty() && rest.front() == c;
        if (equal) rest.remove_prefix(1);
        return equal;
    });
    return found == wanted && equal && rest.empty();
}

bool vary_needs_prepared(std::string_view lines, const config::HeaderRules& rules) noexcept {
    while (!lines.empty()) {
        const std::string_view line = pop_line(lines);
        const std::string_view name = line.substr(0, line.find(':'));
        if (is_set_by_proxy(name) || is_changed_by(rules, name)) return true;
    }
    return false;
}

bool varies_by_client(std::string_view lines) noexcept {
    while (!lines.empty()) {
        const std::string_view line = pop_line(lines);
        if (is_set_for_client(line.substr(0, line.find(':')))) return true;
    }
    return false;
}

void normalise_request(HeaderList& request, Arena& arena) {
    const std::string_view accepted = accepted_codings(request);
    if (!accepted.empty()) replace(request, Field::accept_encoding, accepted);
    std::size_t size = 0;
    const bool found =
        for_selecting_value(request, {}, Field::accept_language, [&size](char) { ++size; });
    if (!found) return;
    char* const text = arena.take(size);
    char* at = text;
    for_selecting_value(request, {}, Field::accept_language, [&at](char c) { *at++ = c; });
    replace(request, Field::accept_language, {text, size});
}

}  // namespace scrollgate
