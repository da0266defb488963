// HeaderList: the fields of one message, in the order of the wire.
//
// Names and values are views: whoever owns the bytes (a connection's buffer, an Exchange's arena,
// a Snapshot) outlives the list. One worker; no locks. Capacity is kept by clear(), so a recycled
// list does not allocate.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/field.hpp"

namespace scrollgate {

struct HeaderField {
    std::string_view name;
    std::string_view value;  ///< without surrounding white space
    Field id = Field::unknown;
};

class HeaderList {
  public:
    using const_iterator = std::vector<HeaderField>::const_iterator;

    /// Appends; the views are kept, not copied.
    void add(std::string_view name, std::string_view value, Field id) {
        fields_.push_back({name, value, id});
    }
    void add(std::string_view name, std::string_view value) { add(name, value, field_id(name)); }
    void add(Field id, std::string_view value) { add(field_name(id), value, id); }

    /// The first field with this id, or nullptr. O(size).
    [[nodiscard]] const HeaderField* find(Field id) const noexcept;
    /// The first field with this name (without case), or nullptr.
    [[nodiscard]] const HeaderField* find(std::string_view name) const noexcept;
    /// How many fields carry this id.
    [[nodiscard]] std::size_t count(Field id) const noexcept;
    /// The value of the first field with this id, or an empty view.
    [[nodiscard]] std::string_view value(Field id) const noexcept {
        const HeaderField* field = find(id);
        return field != nullptr ? field->value : std::string_view{};
    }

    /// Removes every field for which `predicate(field)` holds; order is kept.
    template <class Predicate>
    void remove_if(Predicate&& predicate) {
        std::erase_if(fields_, predicate);
    }
    void remove(Field id) {
        remove_if([id](const HeaderField& f) { return f.id == id; });
    }
    void remove(std::string_view name) {
        remove_if([name](const HeaderField& f) { return equal_no_case(f.name, name); });
    }

    void clear() noexcept { fields_.clear(); }
    void reserve(std::size_t count) { fields_.reserve(count); }
    [[nodiscard]] std::size_t size() const noexcept { return fields_.size(); }
    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }
    [[nodiscard]] const HeaderField& operator[](std::size_t i) const noexcept { return fields_[i]; }
    [[nodiscard]] const_iterator begin() const noexcept { return fields_.begin(); }
    [[nodiscard]] const_iterator end() const noexcept { return fields_.end(); }

  private:
    std::vector<HeaderField> fields_;
};

}  // namespace scrollgate
