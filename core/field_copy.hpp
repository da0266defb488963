// Fields whose text outlives the bytes that they were parsed from. One worker.
#pragma once

#include "core/arena.hpp"
#include "core/header_list.hpp"

namespace scrollgate {

/// Appends a copy of `field` to `to`; its text is in `arena`.
inline void copy_field(const HeaderField& field, Arena& arena, HeaderList& to) {
    const std::string_view text = arena.join({field.name, field.value});
    to.add(text.substr(0, field.name.size()), text.substr(field.name.size()), field.id);
}

}  // namespace scrollgate
