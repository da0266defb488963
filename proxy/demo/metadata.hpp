// NFT-style metadata for the demo: the kind of object a marketplace asks its origins for.
//
// A document follows from its collection and id alone: every cloud tells the same, as replicas
// would, and so does every start. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace scrollgate::demo {

/// 1-64 letters, digits, '-' or '_'.
[[nodiscard]] bool is_plain_name(std::string_view text) noexcept;

/// The JSON document of one token, 512 bytes to 16 KiB long depending on its id. Both names must be
/// plain.
[[nodiscard]] std::string metadata_json(std::string_view collection, std::string_view id);

}  // namespace scrollgate::demo
