// Rewrites that cannot do what they say.
#include <fmt/format.h>
#include <re2/re2.h>

#include "config/validate.hpp"

namespace scrollgate::config {
namespace {

/// Is `path` equal to `prefix` or below it, by segments?
bool is_below(std::string_view path, std::string_view prefix) {
    while (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

void Validator::route_rewrite(const config::Route& route, const std::string& path) {
    const Rewrite& rewrite = *route.rewrite;
    const std::string at = path + ".rewrite";
    if (reported(at)) return;
    const bool strip = !rewrite.strip_prefix.empty(), regex = !rewrite.regex.empty();
    const bool to = reader_.present(at + ".to");
    if (!strip && !regex && !to) return error(at, "strip_prefix, or regex and to, are missing");
    if (strip && (regex || to))
        return error(at, "either strip_prefix, or regex and to, but not both");
    if (!strip && regex != to)
        return error(at, regex ? "to is missing: what the match is replaced by"
                               : "regex is missing: what is to be replaced");
    if (route.raw_path)
        error(at, "raw_path: true forwards the path as received; it cannot be rewritten, too");
    if (regex) {
        const RE2 compiled(rewrite.regex, RE2::Quiet);
        std::string why;
        if (!compiled.CheckRewriteString(rewrite.to, &why)) error(at + ".to", why);
        return;
    }
    const Match& match = route.match;
    const std::string& wanted = match.path_exact.empty() ? match.path_prefix : match.path_exact;
    const bool deeper = match.path_exact.empty() && is_below(rewrite.strip_prefix, wanted);
    if (!wanted.empty() && !is_below(wanted, rewrite.strip_prefix) && !deeper)
        error(at + ".strip_prefix",
              fmt::format("never applies: this route's paths begin with {}", wanted));
}

}  // namespace scrollgate::config
