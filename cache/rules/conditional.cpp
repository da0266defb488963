// Conditions, and validation with the origin.
#include "cache/rules/conditional.hpp"

#include <algorithm>
#include <optional>

#include "cache/rules/entity_tag.hpp"
#include "cache/rules/http_date.hpp"

namespace scrollgate {
namespace {

/// Some If-None-Match names the stored tag, or "*" (13.1.2); compared weakly.
bool names_tag(const HeaderList& request, std::string_view stored) noexcept {
    const EntityTag ours = make_entity_tag(stored);
    for (const HeaderField& field : request) {
        if (field.id != Field::if_none_match) continue;
        std::string_view rest = field.value;
        if (trim(rest) == "*") return true;
        while (!rest.empty()) {
            if (weakly_equal(make_entity_tag(pop_entity_tag(rest)), ours)) return true;
        }
    }
    return false;
}

/// When the stored response last changed: Last-Modified, else Date (RFC 9111 section 4.3.2).
std::optional<std::int64_t> changed_at(const HeaderList& stored, std::int64_t now) noexcept {
    if (const HeaderField* const modified = stored.find(Field::last_modified)) {
        return parse_http_date(modified->value, now);
    }
    const HeaderField* const date = stored.find(Field::date);
    return date != nullptr ? parse_http_date(date->value, now) : std::nullopt;
}

/// What a 304 does not change: what describes the bytes that are kept (RFC 9111 section 3.2), and
/// the validator by which it was found.
bool describes_bytes(const HeaderField& field) noexcept {
    return field.id == Field::content_length || field.id == Field::content_encoding ||
           field.id == Field::content_range || field.id == Field::etag ||
           equal_no_case(field.name, "Content-MD5");
}

}  // namespace

Condition judge_condition(const HeaderList& request, const HeaderList& stored, std::int64_t now) {
    if (request.find(Field::if_none_match) != nullptr) {
        const bool named = names_tag(request, stored.value(Field::etag));
        return named ? Condition::not_modified : Condition::holds;
    }
    if (request.count(Field::if_modified_since) != 1) return Condition::none;
    const auto since = parse_http_date(request.value(Field::if_modified_since), now);
    if (!since) return Condition::none;  // 13.1.3: no date, no condition
    const auto changed = changed_at(stored, now);
    return changed && *changed <= *since ? Condition::not_modified : Condition::holds;
}

bool passes_to_origin(const HeaderList& request) noexcept {
    return request.find(Field::if_match) != nullptr ||
           request.find(Field::if_unmodified_since) != nullptr;
}

void make_unconditional(HeaderList& request) {
    request.remove_if([](const HeaderField& field) {
        return field.id == Field::range || field.id == Field::if_range ||
               field.id == Field::if_match || field.id == Field::if_none_match ||
               field.id == Field::if_modified_since || field.id == Field::if_unmodified_since;
    });
}

void make_validating(HeaderList& request, const HeaderList& stored) {
    make_unconditional(request);
    const std::string_view tag = stored.value(Field::etag);
    const std::string_view modified = stored.value(Field::last_modified);
    if (!tag.empty()) request.add(Field::if_none_match, tag);
    if (!modified.empty()) request.add(Field::if_modified_since, modified);
}

HeaderList updated(const HeaderList& stored, const HeaderList& fresh) {
    HeaderList out;
    out.reserve(stored.size() + fresh.size());
    for (const HeaderField& field : stored) {
        const bool replaced =
            !describes_bytes(field) &&
            std::any_of(fresh.begin(), fresh.end(), [&field](const HeaderField& newer) {
                return newer.id == field.id &&
                       (field.id != Field::unknown || equal_no_case(newer.name, field.name));
            });
        if (!replaced) out.add(field.name, field.value, field.id);
    }
    for (const HeaderField& field : fresh) {
        if (!describes_bytes(field)) out.add(field.name, field.value, field.id);
    }
    return out;
}

bool validates(const HeaderList& stored, const HeaderList& fresh) {
    if (const HeaderField* const tag = fresh.find(Field::etag)) {
        // weakly: it answers a request that named this one tag
        return weakly_equal(make_entity_tag(tag->value),
                            make_entity_tag(stored.value(Field::etag)));
    }
    const HeaderField* const modified = fresh.find(Field::last_modified);
    return modified == nullptr || modified->value == stored.value(Field::last_modified);
}

}  // namespace scrollgate
