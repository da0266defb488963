// Look-ups go through the fields one by one: lists are short, and ids are compared, not text.
#include "core/header_list.hpp"

#include <algorithm>

namespace scrollgate {

const HeaderField* HeaderList::find(Field id) const noexcept {
    for (const HeaderField& field : fields_) {
        if (field.id == id) return &field;
    }
    return nullptr;
}

const HeaderField* HeaderList::find(std::string_view name) const noexcept {
    for (const HeaderField& field : fields_) {
        if (equal_no_case(field.name, name)) return &field;
    }
    return nullptr;
}

std::size_t HeaderList::count(Field id) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        fields_.begin(), fields_.end(), [id](const HeaderField& field) { return field.id == id; }));
}

}  // namespace scrollgate
