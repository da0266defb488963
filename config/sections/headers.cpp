// Header rules, and maps of names to values.
#include <algorithm>
#include <array>

#include "config/sections/tables.hpp"
#include "core/field.hpp"

namespace scrollgate::config {
namespace {

constexpr std::size_t longest_name = 256;

/// Values under such names are credentials: they are used, but not shown.
bool sounds_secret(std::string_view name) {
    const std::string low = folded(name);
    for (const std::string_view part :
         {"authorization", "cookie", "token", "secret", "apikey", "password", "credential"})
        if (low.find(part) != low.npos) return true;
    return false;
}

std::optional<std::string> read_value(Reader& reader, const Value& value) {
    auto given = reader.scalar(value, "some text");
    if (!given) return std::nullopt;
    const bool controls = std::any_of(given->begin(), given->end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    });
    if (controls) {
        reader.error(value, "a line end or control byte cannot stand in a header or query value");
        return std::nullopt;
    }
    // Surrounding blanks are no part of a field's value (RFC 9110 5.5): they would never match.
    if (given->starts_with(' ') || given->ends_with(' ') || given->starts_with('\t') ||
        given->ends_with('\t')) {
        reader.error(value, "blanks around a value are lost on the way; remove them");
        return std::nullopt;
    }
    return given;
}

/// Fields of the connection or the framing: changing them would break messages (RFC 9110 7.6.1).
std::string wrong_rule_name(const std::string& name) {
    if (std::string wrong = wrong_field_name(name); !wrong.empty()) return wrong;
    for (const std::string_view own :
         {"Connection", "Content-Length", "HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE",
          "Trailer", "Transfer-Encoding", "Upgrade"})
        if (equal_no_case(name, own))
            return fmt::format("{} belongs to the connection and is set by the proxy itself", own);
    if (equal_no_case(name, "Via"))
        return "Via is set by the proxy itself; a route can say via: off";
    return {};
}

std::string wrong_request_rule(const std::string& name) {
    if (equal_no_case(name, "Host")) return "Host is chosen by the pool: see pools.*.host";
    if (equal_no_case(name, "Expect")) return "Expect is handled by the proxy itself";
    return wrong_rule_name(name);
}

Table<HeaderRules> rules_table(Objection wrong_name) {
    return {
        key("set", &HeaderRules::set, pairs("map of names to values", wrong_name, false),
            "replaces the field, or adds it"),
        key("add", &HeaderRules::add, pairs("map of names to values or lists", wrong_name, true),
            "adds the field beside those of its name"),
        key("remove", &HeaderRules::remove,
            list(text("names", "X-Debug", wrong_name), "[ X-Debug ]"),
            "removes all fields of these names; done first"),
    };
}

}  // namespace

std::string wrong_field_name(const std::string& name) {
    if (name.size() > longest_name) return "a name longer than 256 bytes";
    if (!is_token(name))
        return fmt::format("{} is not a header name; use letters, digits and -", quoted(name));
    return {};
}

std::string wrong_request_field(const std::string& name) {
    if (std::string wrong = wrong_field_name(name); !wrong.empty()) return wrong;
    if (name.find('_') == name.npos) return {};
    return fmt::format(
        "{}: fields with an underscore are taken from every request; write it with -",
        quoted(name));
}

std::string wrong_query_name(const std::string& name) {
    if (name.empty()) return "an empty name";
    if (name.size() > longest_name) return "a name longer than 256 bytes";
    if (has_control(name)) return "a line end or control byte in a name";
    return {};
}

Codec<Pairs> pairs(std::string type, Objection wrong_name, bool lists) {
    Codec<Pairs> codec;
    codec.type = std::move(type);
    codec.read = [wrong_name, lists](Reader& reader, const Value& value, Pairs& into) {
        if (!reader.is_section(value, "{ X-Name: value }")) return;
        reader.doubled(value);
        into.clear();
        for (const Value::Entry& entry : value.entries) {
            const Reader::Step at = reader.name(entry.key, *entry.value);
            if (std::string wrong = wrong_name(entry.key); !wrong.empty()) {
                reader.error(entry.mark, std::move(wrong));
                continue;
            }
            const auto alike = [&](const auto& pair) {
                return wrong_name != wrong_query_name && equal_no_case(pair.first, entry.key);
            };
            if (!lists && std::any_of(into.begin(), into.end(), alike)) {
                reader.error(entry.mark, "this header stands twice; case does not matter in names");
                continue;
            }
            if (!lists || !entry.value->is_sequence()) {
                if (auto given = read_value(reader, *entry.value))
                    into.emplace_back(entry.key, std::move(*given));
                continue;
            }
            for (std::size_t i = 0; i < entry.value->items.size(); ++i) {
                const Value& item = *entry.value->items[i];
                const Reader::Step inside = reader.index(i, item);
                if (auto given = read_value(reader, item))
                    into.emplace_back(entry.key, std::move(*given));
            }
        }
    };
    codec.write = [](const Pairs& values) {
        std::vector<Value::Entry> entries;
        for (std::size_t i = 0; i < values.size();) {
            const std::string& name = values[i].first;
            std::vector<ValuePtr> same;
            for (; i < values.size() && values[i].first == name; ++i)
                same.push_back(text_value(sounds_secret(name) ? "(hidden)" : values[i].second));
            entries.push_back(
                {name, {}, same.size() == 1 ? same.front() : make_sequence(std::move(same))});
        }
        return make_map(std::move(entries));
    };
    return codec;
}

const Table<HeaderRules>& request_headers_table() {
    static const Table<HeaderRules> table = rules_table(wrong_request_rule);
    return table;
}

const Table<HeaderRules>& response_headers_table() {
    static const Table<HeaderRules> table = rules_table(wrong_rule_name);
    return table;
}

}  // namespace scrollgate::config
