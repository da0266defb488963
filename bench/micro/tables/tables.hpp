// What the cache does, as tables that need no other server: each returns the program's exit code.
#pragma once

#include <filesystem>

namespace scrollgate::bench {

/// Stored size by size of object, of documents that bench/peers/corpus.py has written to `corpus`:
/// without compression, with LZ4, and with a dictionary that was learned on other collections.
/// 1 if that is not 40 % smaller overall.
[[nodiscard]] int print_stored_size(const std::filesystem::path& corpus);

/// Hit ratio of the store's eviction beside that of plain LRU with as many entries.
[[nodiscard]] int print_hit_ratio();

}  // namespace scrollgate::bench
