// A YAML file as a tree of values that know their place. The only room that sees yaml-cpp.
//
// Built from the parser's events, not from YAML::Node, because the node tree forgets doubled keys,
// expands aliases without a bound and resolves types (`off`, `1e3`) before anybody asked.
// Invariants: a tree is immutable once parsed, holds at most max_nodes values even after aliases
// are followed, and is at most max_depth deep. Scalars are text; what they mean is decided later.
// Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/loader.hpp"

namespace scrollgate::config {

/// A place in the file, from 1; columns count characters, not bytes. 0:0 is no place.
struct Mark {
    std::size_t line = 0, column = 0;
    bool operator==(const Mark&) const = default;
};

struct Value;
using ValuePtr = std::shared_ptr<const Value>;

struct Value {
    enum class Kind : std::uint8_t { null, scalar, sequence, map };
    struct Entry {
        std::string key;
        Mark mark;  ///< of the key
        ValuePtr value;
    };
    /// A key that stands twice in one map; the first one counts.
    struct Doubled {
        std::string key;
        Mark mark, first;
    };

    Kind kind = Kind::null;
    Mark mark;
    std::size_t nodes = 1;  ///< values below and including this one, aliases followed
    std::string text;       ///< of a scalar
    std::string tag;        ///< an application tag ("!secret"); the core ones are dropped
    std::vector<ValuePtr> items;
    std::vector<Entry> entries;
    std::vector<Doubled> doubled;

    [[nodiscard]] bool is_null() const noexcept { return kind == Kind::null; }
    [[nodiscard]] bool is_scalar() const noexcept { return kind == Kind::scalar; }
    [[nodiscard]] bool is_sequence() const noexcept { return kind == Kind::sequence; }
    [[nodiscard]] bool is_map() const noexcept { return kind == Kind::map; }
    /// The value under `key`, or nullptr.
    [[nodiscard]] const Value* find(std::string_view key) const noexcept;
};

inline constexpr std::size_t max_depth = 40;
inline constexpr std::size_t max_nodes = 2'000'000;

struct Document {
    ValuePtr root;                   ///< set unless there is a problem; may be null (empty file)
    std::optional<Problem> problem;  ///< the first thing that makes the text unreadable
};

/// Parses one YAML document. Never throws (but for lack of memory).
[[nodiscard]] Document parse_document(std::string_view text);

/// `over` laid on `base`: maps merge key by key at every depth, anything else replaces.
/// Either may be null; values keep the places they came from.
[[nodiscard]] ValuePtr merged(const ValuePtr& base, const ValuePtr& over);

/// Builders for values that are written, not read.
[[nodiscard]] ValuePtr make_scalar(std::string text);
[[nodiscard]] ValuePtr make_sequence(std::vector<ValuePtr> items);
[[nodiscard]] ValuePtr make_map(std::vector<Value::Entry> entries);

/// The tree as YAML in block style; every scalar reads back as the same text.
[[nodiscard]] std::string render(const Value& value);

}  // namespace scrollgate::config
