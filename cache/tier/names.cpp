#include "cache/tier/names.hpp"

#include <fmt/format.h>

namespace scrollgate::tier {

std::string hex(const Hash128& hash) {
    return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

std::string name_of_key(std::string_view prefix, std::string_view key) {
    return fmt::format("{}:{{{}}}", prefix, hex(hash128(key)));
}

std::string name_of_variant(std::string_view name, std::string_view lines) {
    return fmt::format("{}:{}", name, hex(hash128(lines)));
}

std::string name_of_lease(std::string_view name, std::string_view lines) {
    return fmt::format("{}:lease", lines.empty() ? name : name_of_variant(name, lines));
}

std::string name_of_dictionary(std::string_view prefix, const Hash128& dictionary) {
    return fmt::format("{}:dictionary:{}", prefix, hex(dictionary));
}

std::string name_of_tag(std::string_view prefix, std::string_view tag) {
    return fmt::format("{}:tag:{}", prefix, hex(hash128(tag)));
}

std::string name_of_purges(std::string_view prefix) {
    return fmt::format("{{{}}}:purges", prefix);
}

std::string name_of_nodes(std::string_view prefix) {
    return fmt::format("{{{}}}:nodes", prefix);
}

std::string name_of_freed(std::string_view prefix, std::uint32_t database) {
    return fmt::format("{{{}}}:freed:{}", prefix, database);
}

std::string name_of_token(std::string_view prefix, std::string_view token) {
    return fmt::format("{{{}}}:seen:{}", prefix, token);
}

}  // namespace scrollgate::tier
