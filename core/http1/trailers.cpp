// Lists of what may not be a trailer; see trailers.hpp for why.
#include "core/http1/trailers.hpp"

#include <algorithm>
#include <array>

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

}  // namespace

bool may_be_trailer(const HeaderField& field) noexcept {
    const std::string_view name = field.name;
    if (field.id == Field::grpc_status) return true;
    if (field.id != Field::unknown || name.find('_') != std::string_view::npos) return false;
    const auto begins = [name](std::string_view prefix) {
        return equal_no_case(name.substr(0, prefix.size()), prefix);
    };
    const auto is = [name](std::string_view barred) { return equal_no_case(name, barred); };
    return std::none_of(barred_prefixes.begin(), barred_prefixes.end(), begins) &&
           std::none_of(barred_names.begin(), barred_names.end(), is);
}

}  // namespace scrollgate::http1
