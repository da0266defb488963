// Reading Cache-Control (RFC 9111 section 5.2) and Surrogate-Control. The strictness of a doubtful
// directive is decided here alone: what forbids is obeyed however it is spelled, what permits must
// be spelled as the grammar says.
#include "cache/rules/cache_control.hpp"

#include <algorithm>
#include <array>

#include "cache/rules/delta_seconds.hpp"
#include "cache/rules/targeted_control.hpp"
#include "core/http1/bytes.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

struct Directive {
    std::string_view name;
    std::string_view argument;  ///< without quotes
    bool has_argument = false;
    bool quoted = false;   ///< the argument was
    bool odd = false;      ///< the argument is neither a token nor one whole quoted string
    bool garbled = false;  ///< something is no token that has to be: it may hide a directive
};

/// Where the quoted string that begins at `text[at]` ends: behind its closing quote; npos if it
/// does not.
std::size_t end_of_quoted(std::string_view text, std::size_t at) noexcept {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
        ++at;
    return at;
}

/// Takes the elements off one field line. A quote means something at the start of an argument
/// alone, so that a stray one hides no directive.
class Elements {
  public:
    explicit Elements(std::string_view line) noexcept : rest_(line) {}

    [[nodiscard]] bool next(Directive& out) noexcept {
        std::size_t begin = 0;
        while (begin < rest_.size() &&
               (rest_[begin] == ',' || rest_[begin] == ' ' || rest_[begin] == '\t'))
            ++begin;
        rest_.remove_prefix(begin);
        if (rest_.empty()) return false;
        out = {};
        const std::size_t stop = rest_.find_first_of(",=");
        out.name = trim(rest_.substr(0, stop));
        out.garbled = !http1::is_token(out.name);
        if (stop == std::string_view::npos || rest_[stop] == ',') {
            rest_.remove_prefix(std::min(stop, rest_.size()));
            return true;
        }
        out.has_argument = true;
        read_argument(out, stop);
        return true;
    }

    /// A quoted string did not end: what it hides is unknown.
    [[nodiscard]] bool unterminated() const noexcept { return unterminated_; }

  private:
    void read_argument(Directive& out, std::size_t equals) noexcept {
        const std::size_t at = skip_blanks(rest_, equals + 1);
        out.odd = at != equals + 1 || out.name.size() != equals;  // white space around "="
        std::size_t comma = std::string_view::npos;
        out.quoted = at < rest_.size() && rest_[at] == '"';
        if (out.quoted) {
            const std::size_t end = end_of_quoted(rest_, at);
            unterminated_ = unterminated_ || end == std::string_view::npos;
            comma = end == std::string_view::npos ? end : rest_.find(',', end);
            out.argument = rest_.substr(at + 1, end - at - 2);
            const bool more =
                end != std::string_view::npos && !trim(rest_.substr(end, comma - end)).empty();
            out.odd = out.odd || end == std::string_view::npos || more;
            out.garbled = out.garbled || more;
        } else {
            comma = rest_.find(',', at);
            out.argument = trim(rest_.substr(at, comma - at));
            out.garbled = out.garbled || !http1::all_of<http1::token_bytes>(out.argument);
        }
        rest_.remove_prefix(std::min(comma, rest_.size()));
    }

    std::string_view rest_;
    bool unterminated_ = false;
};

std::uint32_t seconds_or_stale(const Directive& directive) noexcept {
    if (!directive.has_argument || directive.odd) return 0;
    return delta_seconds(directive.argument).value_or(0);
}

void lower(std::optional<std::uint32_t>& value, std::uint32_t other) noexcept {
    value = std::min(value.value_or(other), other);
}

/// Without it a response is another one: what it contains, for whom, since when.
bool describes_response(std::string_view name) noexcept {
    constexpr std::string_view content = "content-";
    if (equal_no_case(name.substr(0, content.size()), content)) return true;
    for (const std::string_view one : {"vary", "date", "cache-control", "expires"})
        if (equal_no_case(name, one)) return true;
    return false;
}

/// Names of fields that a response can be stored without: one at least, and nothing else.
bool is_list_of_names(std::string_view list) noexcept {
    bool any = false;
    while (!list.empty()) {
        const std::string_view name = pop_first_in_list(list);
        if (name.empty()) continue;
        if (!http1::is_token(name) || describes_response(name)) return false;
        any = true;
    }
    return any;
}

/// no-cache or private: `all` without names, or with names that cannot be told. Names are in quotes
/// (RFC 9111 section 5.2.2.4); without them one counts that we know, and `private=1` is somebody's
/// spelling of private.
void restrict(bool& all, std::string_view& names, const Directive& directive) noexcept {
    const bool named = directive.quoted || field_id(directive.argument) != Field::unknown;
    const bool readable = directive.has_argument && named && !directive.odd && names.empty() &&
                          is_list_of_names(directive.argument);
    if (readable) {
        names = directive.argument;
    } else {
        all = true;
    }
}

using Flag = bool CacheControl::*;
using Seconds = std::optional<std::uint32_t> CacheControl::*;
struct FlagRow {
    std::string_view name;
    Flag flag;
};
struct SecondsRow {
    std::string_view name;
    Seconds seconds;
};
constexpr std::array<FlagRow, 8> flags{{
    {"no-store", &CacheControl::no_store},
    {"public", &CacheControl::public_},
    {"must-revalidate", &CacheControl::must_revalidate},
    {"proxy-revalidate", &CacheControl::proxy_revalidate},
    {"must-understand", &CacheControl::must_understand},
    {"immutable", &CacheControl::immutable},
    {"no-transform", &CacheControl::no_transform},
    {"only-if-cached", &CacheControl::only_if_cached},
}};
constexpr std::array<SecondsRow, 4> spans{{
    {"max-age", &CacheControl::max_age},
    {"s-maxage", &CacheControl::s_maxage},
    {"stale-while-revalidate", &CacheControl::stale_while_revalidate},
    {"stale-if-error", &CacheControl::stale_if_error},
}};

void apply(CacheControl& control, const Directive& directive) noexcept {
    const auto is = [&directive](std::string_view name) {
        return equal_no_case(directive.name, name);
    };
    for (const FlagRow& row : flags) {
        if (is(row.name)) {
            control.*row.flag = true;
            return;
        }
    }
    for (const SecondsRow& row : spans) {
        if (is(row.name)) return lower(control.*row.seconds, seconds_or_stale(directive));
    }
    if (is("no-cache")) {
        restrict(control.no_cache, control.no_cache_fields, directive);
    } else if (is("private")) {
        restrict(control.private_, control.private_fields, directive);
    } else if (is("max-stale")) {
        if (directive.has_argument) {
            lower(control.max_stale, seconds_or_stale(directive));
        } else {
            control.max_stale_any = true;
        }
    } else if (is("min-fresh") && directive.has_argument && !directive.odd) {
        const auto span = delta_seconds(directive.argument);
        if (span) control.min_fresh = std::max(control.min_fresh.value_or(0), *span);
    }
}

}  // namespace

CacheControl parse_cache_control(const HeaderList& fields, Field id) {
    if (id == Field::cdn_cache_control) return parse_targeted_control(fields, id);
    if (id == Field::surrogate_control) return parse_surrogate_control(fields);
    CacheControl control;
    for (const HeaderField& field : fields) {
        if (field.id != id) continue;
        control.present = true;
        Elements elements(field.value);
        Directive directive;
        while (elements.next(directive)) {
            apply(control, directive);
            control.malformed = control.malformed || directive.garbled;
        }
        control.malformed = control.malformed || elements.unterminated();
    }
    return control;
}

}  // namespace scrollgate
