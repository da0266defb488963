// CDN-Cache-Control and Surrogate-Control. The reader of Structured Fields follows RFC 8941 section
// 4.2 step by step; it only has to find out whether all of it is well formed, and the few values.
#include "cache/rules/targeted_control.hpp"

#include <algorithm>
#include <optional>

#include "cache/rules/delta_seconds.hpp"
#include "core/text.hpp"

namespace scrollgate {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
bool is_alpha(char c) noexcept {
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

struct Value {
    enum class Type : std::uint8_t { truth, integer, text, other };
    Type type = Type::truth;
    bool truth = true;
    std::string_view text;  ///< digits with their sign; of a string or token what it says
};

/// One line of a dictionary.
class Dictionary {
  public:
    explicit Dictionary(std::string_view line) noexcept : rest_(line) {}

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
    /// The next member; false: it is not well formed.
    [[nodiscard]] bool member(std::string_view& key, Value& value) noexcept {
        value = {};
        if (!read_key(key)) return false;
        if (take('=')) {
            if (!(take('(') ? read_inner_list(value) : read_bare(value))) return false;
        }
        if (!read_parameters()) return false;
        skip(" \t");
        if (rest_.empty()) return true;
        if (!take(',')) return false;
        skip(" \t");
        return !rest_.empty();  // a comma at the end
    }

  private:
    [[nodiscard]] bool take(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void skip(std::string_view which) noexcept {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(which), rest_.size()));
    }
    template <class Predicate>
    std::string_view take_while(Predicate predicate) noexcept {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), predicate);
        const auto size = static_cast<std::size_t>(end - rest_.begin());
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    bool read_key(std::string_view& key) noexcept {
        if (rest_.empty() || !(is_lower(rest_.front()) || rest_.front() == '*')) return false;
        key = take_while([](char c) {
            return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
        });
        return true;
    }

    bool read_bare(Value& value) noexcept {
        if (rest_.empty()) return false;
        const char first = rest_.front();
        if (is_digit(first) || first == '-') return read_number(value);
        if (first == '"') return read_string(value);
        if (first == '?') return read_truth(value);
        if (first == ':') return read_bytes(value);
        if (!is_alpha(first) && first != '*') return false;
        value.type = Value::Type::text;
        value.text = take_while([](char c) {
            return is_alpha(c) || is_digit(c) ||
                   std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
        });
        return true;
    }

    bool read_number(Value& value) noexcept {
        const std::string_view whole = rest_;
        const bool negative = take('-');
        const std::string_view digits = take_while(is_digit);
        if (digits.empty() || digits.size() > 15) return false;
        value.type = Value::Type::integer;
        value.text = whole.substr(0, digits.size() + (negative ? 1 : 0));
        if (!take('.')) return true;
        value.type = Value::Type::other;  // a decimal
        const std::string_view fraction = take_while(is_digit);
        return digits.size() <= 12 && !fraction.empty() && fraction.size() <= 3;
    }

    bool read_string(Value& value) noexcept {
        rest_.remove_prefix(1);
        const std::string_view whole = rest_;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') {
                value.type = Value::Type::text;
                value.text = whole.substr(0, whole.size() - rest_.size() - 1);
                return true;
            }
            if (c == '\\' && !take('"') && !take('\\')) return false;
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
                return false;
            }
        }
        return false;
    }

    bool read_truth(Value& value) noexcept {
        rest_.remove_prefix(1);
        value.truth = !rest_.empty() && rest_.front() == '1';
        return take('1') || take('0');
    }

    bool read_bytes(Value& value) noexcept {
        rest_.remove_prefix(1);
        value.type = Value::Type::other;
        take_while(
            [](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '='; });
        return take(':');
    }

    bool read_inner_list(Value& value) noexcept {
        for (;;) {
            skip(" ");
            if (take(')')) {
                value.type = Value::Type::other;
                return true;
            }
            Value item;
            if (!read_bare(item) || !read_parameters()) return false;
            if (rest_.empty() || (rest_.front() != ' ' && rest_.front() != ')')) return false;
        }
    }

    bool read_parameters() noexcept {
        while (take(';')) {
            skip(" ");
            std::string_view key;
            Value value;
            if (!read_key(key)) return false;
            if (take('=') && !read_bare(value)) return false;
        }
        return true;
    }

    std::string_view rest_;
};

bool assign_span(std::optional<std::uint32_t>& span, const Value& value) noexcept {
    if (value.type != Value::Type::integer) return false;
    span = value.text.front() == '-' ? 0 : delta_seconds(value.text);
    return true;
}

bool assign_flag(bool& flag, const Value& value) noexcept {
    if (value.type != Value::Type::truth) return false;
    flag = value.truth;
    return true;
}

void assign_names(bool& all, std::string_view& names, const Value& value) noexcept {
    const bool named = value.type == Value::Type::text && !value.text.empty() &&
                       value.text.find('\\') == std::string_view::npos;
    names = named ? value.text : std::string_view{};
    all = !named && (value.type != Value::Type::truth || value.truth);
}

/// False: the value is of a type that the directive does not have.
bool assign(CacheControl& control, std::string_view key, const Value& value) noexcept {
    if (key == "max-age") return assign_span(control.max_age, value);
    if (key == "s-maxage") return assign_span(control.s_maxage, value);
    if (key == "stale-while-revalidate") {
        return assign_span(control.stale_while_revalidate, value);
    }
    if (key == "stale-if-error") return assign_span(control.stale_if_error, value);
    if (key == "public") return assign_flag(control.public_, value);
    if (key == "immutable") return assign_flag(control.immutable, value);
    if (key == "must-understand") return assign_flag(control.must_understand, value);
    const bool forbids = value.type != Value::Type::truth || value.truth;
    if (key == "no-store") control.no_store = forbids;
    if (key == "must-revalidate") control.must_revalidate = forbids;
    if (key == "proxy-revalidate") control.proxy_revalidate = forbids;
    if (key == "no-transform") control.no_transform = forbids;
    if (key == "no-cache") assign_names(control.no_cache, control.no_cache_fields, value);
    if (key == "private") assign_names(control.private_, control.private_fields, value);
    return true;
}

/// `text` up to the next `separator` that is in no quoted string; takes it off. `quoted`: a string
/// did not end.
std::string_view take_part(std::string_view& text, char separator, bool& quoted) noexcept {
    quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (quoted || text[at] != separator); ++at) {
        if (quoted && text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            quoted = !quoted;
        }
    }
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return trim(part);
}

bool is_for_us(std::string_view targets) noexcept {
    if (targets.empty()) return true;
    while (!targets.empty()) {
        bool quoted = false;
        if (equal_no_case(take_part(targets, ';', quoted), "scrollgate")) return true;
    }
    return false;
}

void apply_surrogate(CacheControl& control, std::string_view directive) noexcept {
    if (equal_no_case(directive, "no-store") || equal_no_case(directive, "no-store-remote")) {
        control.no_store = true;
        return;
    }
    const std::size_t equals = directive.find('=');
    if (!equal_no_case(trim(directive.substr(0, equals)), "max-age")) return;
    std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : directive.substr(equals + 1);
    const std::size_t plus = value.find('+');
    const auto lifetime = delta_seconds(value.substr(0, plus));
    const std::uint32_t fresh = lifetime.value_or(0);
    control.max_age = std::min(control.max_age.value_or(fresh), fresh);
    if (!lifetime || plus == std::string_view::npos) return;
    const auto beyond = delta_seconds(value.substr(plus + 1));
    if (!beyond) return;
    control.stale_while_revalidate =
        std::min(control.stale_while_revalidate.value_or(*beyond), *beyond);
    control.stale_if_error = control.stale_while_revalidate;
}

}  // namespace

CacheControl parse_targeted_control(const HeaderList& fields, Field id) {
    CacheControl control;
    for (const HeaderField& field : fields) {
        if (field.id != id) continue;
        Dictionary dictionary(trim(field.value));
        while (!dictionary.at_end()) {
            std::string_view key;
            Value value;
            if (!dictionary.member(key, value) || !assign(control, key, value)) return {};
            control.present = control.targeted = true;
        }
    }
    return control;
}

CacheControl parse_surrogate_control(const HeaderList& fields) {
    CacheControl control;
    for (const HeaderField& field : fields) {
        if (field.id != Field::surrogate_control) continue;
        std::string_view rest = field.value;
        while (!rest.empty()) {
            bool quoted = false;
            std::string_view targets = take_part(rest, ',', quoted);
            control.malformed = control.malformed || quoted;
            const std::string_view directive = take_part(targets, ';', quoted);
            if (is_for_us(targets)) apply_surrogate(control, directive);
        }
    }
    control.present = control.targeted =
        control.malformed || control.no_store || control.max_age.has_value();
    return control;
}

}  // namespace scrollgate
