// What the fuzz targets share. An oracle that does not hold throws: libFuzzer takes that for a
// crash, the replay driver reports it with its input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

/// The entry point of every target; also called by replay_main.cpp.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace scrollgate::fuzz {

inline void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Takes one byte off the front of `input`, 0 when it is empty: how a target reads its choices.
inline unsigned take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return byte;
}

}  // namespace scrollgate::fuzz
