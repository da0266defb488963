// Fuzz target: parse_cache_control. The first byte chooses the field, then its lines. What forbids
// must never be lost, and no number grows beyond what the text says.
#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "cache/rules/cache_control.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace scrollgate;
using scrollgate::fuzz::require;

namespace {

void check_views(std::string_view input, const CacheControl& control) {
    for (const std::string_view view : {control.no_cache_fields, control.private_fields}) {
        if (view.empty()) continue;
        require(
            view.data() >= input.data() && view.data() + view.size() <= input.data() + input.size(),
            "lists of names are views of the field");
        require(view.find('\\') == std::string_view::npos, "names have no escapes");
    }
    for (const auto& span : {control.max_age, control.s_maxage, control.stale_while_revalidate,
                             control.stale_if_error, control.min_fresh, control.max_stale}) {
        require(!span || *span <= limits::cache_ttl_most, "spans are bounded");
    }
}

/// Without any quotes a list is its elements.
bool says(const HeaderList& fields, std::string_view name) {
    for (const HeaderField& field : fields) {
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view element = pop_first_in_list(rest);
            if (equal_no_case(trim(element.substr(0, element.find('='))), name)) return true;
        }
    }
    return false;
}

/// Without any quotes: an element that is no directive.
bool is_garbled(const HeaderList& fields) {
    const auto is_token = [](std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) {
            return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos ||
                   std::isalnum(static_cast<unsigned char>(c)) != 0;
        });
    };
    for (const HeaderField& field : fields) {
        std::string_view rest = field.value;
        while (!rest.empty()) {
            const std::string_view element = pop_first_in_list(rest);
            if (element.empty()) continue;
            const std::size_t equals = std::min(element.find('='), element.size());
            const std::string_view name = trim(element.substr(0, equals));
            const std::string_view argument =
                trim(element.substr(std::min(equals + 1, element.size())));
            if (name.empty() || !is_token(name) || !is_token(argument)) return true;
        }
    }
    return false;
}

void check_lenient(HeaderList fields, bool quotes) {
    const CacheControl control = parse_cache_control(fields, Field::cache_control);
    if (!quotes) {
        require(control.no_store == says(fields, "no-store"), "no-store is seen, and only it");
        require(control.public_ == says(fields, "public"), "public is seen, and only it");
        require((control.private_ || !control.private_fields.empty()) == says(fields, "private"),
                "private is seen, and only it");
        require(control.max_age.has_value() == says(fields, "max-age"), "max-age is seen");
        require(control.malformed == is_garbled(fields), "what is no list of directives is told");
    }
    fields.add(Field::cache_control, "no-store, max-age=1, private, no-cache=\"a\"");
    const CacheControl stricter = parse_cache_control(fields, Field::cache_control);
    require(stricter.no_store && stricter.private_, "another line forbids");
    require(stricter.no_cache || !stricter.no_cache_fields.empty(), "another line names fields");
    require(*stricter.max_age <= 1, "the shorter lifetime counts");
}

void check_dictionary(const HeaderList& fields) {
    const CacheControl control = parse_cache_control(fields, Field::cdn_cache_control);
    HeaderList more = fields;
    more.add(Field::cdn_cache_control, "max-age=5;a=\"b\", no-store");
    const CacheControl with = parse_cache_control(more, Field::cdn_cache_control);
    require(!control.present || with.present, "a good line does no harm");
    require(!with.present || (with.max_age == 5U && with.no_store), "the last value counts");
    more.add(Field::cdn_cache_control, "&");
    require(!parse_cache_control(more, Field::cdn_cache_control).present,
            "one bad line spoils all");
    for (const HeaderField& field : fields) {
        for (const char c : field.value) {
            const bool text = (c >= 0x20 && c < 0x7f) || c == '\t';
            require(text || !control.present, "structured fields are ASCII");
        }
    }
}

void check_surrogate(HeaderList fields) {
    fields.add(Field::surrogate_control, "max-age=1");
    const CacheControl control = parse_cache_control(fields, Field::surrogate_control);
    require(control.present && control.max_age && *control.max_age <= 1, "the shorter counts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = scrollgate::fuzz::as_text(data, size);
    constexpr Field ids[] = {Field::cache_control, Field::cdn_cache_control,
                             Field::surrogate_control};
    const Field id = ids[scrollgate::fuzz::take_byte(input) % 3];
    HeaderList fields;
    std::string_view rest = input;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        fields.add(id, trim(rest.substr(0, end)));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    check_views(input, parse_cache_control(fields, id));
    if (id == Field::cache_control) {
        check_lenient(fields, input.find('"') != std::string_view::npos);
    } else if (id == Field::cdn_cache_control) {
        check_dictionary(fields);
    } else {
        check_surrogate(fields);
    }
    return 0;
}
