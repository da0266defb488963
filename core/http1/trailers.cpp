// Lists of what may not be a trailer; see trailers.hpp for why.
#include "core/http1/trailers.hpp"

#include <algorithm>
#include <array>

#include "core/dash_form.hpp"

namespace scrollgate::http1 {
namespace {

constexpr std::array<std::string_view, 10> barred_prefixes{
    "accept-", "access-control-", "authenticat",   "content-", "if-", "proxy-", "sec-",
    "www-",    "x-forwarded-",    "x-http-method",
};

constexpr std::array<std::string_view, 12> barred_names{
    "allow",
    "alt-svc",
    "cdn-cache-control",
    "clear-site-data",
    "early-data",
    "link",
    "prefer",
    "refresh",
    "surrogate-control",
    client_subject_name,
    "x-original-url",
    "x-rewrite-url",
};

/// A name without an id may be that of a trailer.
bool is_free(std::string_view name) noexcept {
    const auto begins = [name](std::string_view prefix) {
        return equal_no_case(name.substr(0, prefix.size()), prefix);
    };
    const auto is = [name](std::string_view barred) { return equal_no_case(name, barred); };
    return std::none_of(barred_prefixes.begin(), barred_prefixes.end(), begins) &&
           std::none_of(barred_names.begin(), barred_names.end(), is);
}

}  // namespace

bool may_be_trailer(const HeaderField& field) noexcept {
    if (field.id == Field::grpc_status) return true;
    return field.id == Field::unknown && !has_underscore(field.name) && is_free(field.name);
}

bool may_be_grpc_trailer(const HeaderField& field) noexcept {
    if (field.id != Field::unknown || !has_underscore(field.name)) return may_be_trailer(field);
    const DashForm form(field.name);
    return field_id(form.text()) == Field::unknown && is_free(form.text());
}

}  // namespace scrollgate::http1
