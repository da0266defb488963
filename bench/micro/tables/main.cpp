// cache-tables: what the cache does, as tables. `cache-tables compression CORPUS` or
// `cache-tables eviction`; ./dev bench calls it.
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "bench/micro/tables/tables.hpp"

int main(int count, char** words) {
    using namespace scrollgate::bench;
    const std::span arguments(words, static_cast<std::size_t>(count));
    if (count == 3 && std::string_view(arguments[1]) == "compression")
        return print_stored_size(arguments[2]);
    if (count == 2 && std::string_view(arguments[1]) == "eviction") return print_hit_ratio();
    fmt::print(stderr, "usage: cache-tables compression CORPUS | cache-tables eviction\n");
    return 2;
}
