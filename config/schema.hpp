// The words in which the schema is written: codecs for values, keys, tables of keys.
//
// A Codec reads a value, writes it back and says what it accepts; a Key ties a codec to a member
// and to one line of documentation; a Table is a section of the file. Parsing, unknown keys,
// docs/CONFIG.md and the effective configuration all come from the tables in config/sections/, so
// that each fact about a key stands once. Tables are built once and never change; any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "config/reader.hpp"
#include "config/suggest.hpp"

namespace scrollgate::config {

template <class V>
struct Codec {
    std::string type;
    std::string range;
    /// Reports what is wrong and then leaves the value as it was.
    std::function<void(Reader&, const Value&, V&)> read;
    /// nullptr: nothing to write.
    std::function<ValuePtr(const V&)> write;
    std::string below;  ///< see KeyInfo
    std::vector<KeyInfo> children;
};

template <class T>
struct Key {
    KeyInfo info;
    std::function<void(Reader&, const Value&, T&)> read;
    std::function<ValuePtr(const T&)> write;
};

template <class T>
using Table = std::vector<Key<T>>;

template <class T>
[[nodiscard]] std::vector<KeyInfo> infos(const Table<T>& table) {
    std::vector<KeyInfo> all;
    for (const Key<T>& key : table)
        all.push_back(key.info);
    return all;
}

/// Reads the keys of `map` into `into`.
template <class T>
void read_table(Reader& reader, const Table<T>& table, const Value& map, T& into) {
    reader.doubled(map);
    for (const Key<T>& key : table) {
        const Value* value = map.find(key.info.name);
        if (value == nullptr) {
            if (key.info.required) reader.missing(map, key.info.name);
            continue;
        }
        const Reader::Step at = reader.key(key.info.name, *value);
        key.read(reader, *value, into);
    }
    for (const Value::Entry& entry : map.entries) {
        const auto is_it = [&](const Key<T>& key) { return key.info.name == entry.key; };
        if (std::any_of(table.begin(), table.end(), is_it)) continue;
        std::vector<const KeyInfo*> known;
        for (const Key<T>& key : table)
            known.push_back(&key.info);
        reader.unknown_key(entry.mark, entry.key, known);
    }
}

template <class T>
[[nodiscard]] ValuePtr write_table(const Table<T>& table, const T& from) {
    std::vector<Value::Entry> entries;
    for (const Key<T>& key : table)
        if (ValuePtr value = key.write(from)) entries.push_back({key.info.name, {}, value});
    return make_map(std::move(entries));
}

/// A key whose value is the member `member` of T. Its default is what T starts with.
template <class T, class V>
[[nodiscard]] Key<T> key(std::string name, V T::*member, const Codec<V>& codec, std::string doc,
                         std::string default_words = "") {
    Key<T> made;
    if (default_words.empty())
        if (const ValuePtr value = codec.write(T{}.*member); value && value->is_scalar())
            default_words = value->text.empty() ? "\"\"" : value->text;
    made.info = {std::move(name), codec.type,     std::move(default_words),
                 codec.range,     std::move(doc), false,
                 codec.below,     codec.children};
    made.read = [read = codec.read, member](Reader& reader, const Value& value, T& into) {
        read(reader, value, into.*member);
    };
    made.write = [write = codec.write, member](const T& from) { return write(from.*member); };
    return made;
}

template <class T>
[[nodiscard]] Key<T> required(Key<T> made) {
    made.info.required = true;
    made.info.default_value = "required";
    return made;
}

// -- codecs for scalars (schema.cpp)

/// `none` stands for no_limit where it is allowed.
enum class None : bool { refused, allowed };
[[nodiscard]] Codec<Duration> duration(Duration least, Duration most, None none);
[[nodiscard]] Codec<std::uint64_t> size(std::uint64_t least, std::uint64_t most, None none);
/// `off` (or `none`) stands for `off` instead of a span.
[[nodiscard]] Codec<Duration> duration_or_off(Duration least, Duration most, Duration off);
/// `none` (or `off`) stands for nothing.
[[nodiscard]] Codec<std::optional<Duration>> duration_or_none(Duration least, Duration most);
/// `off` (or `none`) stands for 0.
[[nodiscard]] Codec<std::uint64_t> size_or_off(std::uint64_t most);
/// What `parse` makes of a scalar, or what it finds wrong. write() is left to the caller.
template <class T>
[[nodiscard]] Codec<T> parsed(std::string type, std::string range, std::string example,
                              std::function<Parsed<T>(std::string_view)> parse) {
    Codec<T> codec;
    codec.type = std::move(type);
    codec.range = std::move(range);
    codec.read = [example = std::move(example), parse = std::move(parse)](
                     Reader& reader, const Value& value, T& into) {
        const auto given = reader.scalar(value, example);
        if (!given) return;
        Parsed<T> made = parse(*given);
        if (!made.value) return reader.error(value, std::move(made.wrong));
        into = *std::move(made.value);
    };
    return codec;
}
/// Whole percents of at least `least`, kept as a share: 20% is 0.2.
[[nodiscard]] Codec<double> percent(unsigned least);
/// A decimal number of 0.001 to `most`.
[[nodiscard]] Codec<double> amount(double most);
[[nodiscard]] Codec<bool> on_off();
/// Any text without control bytes, or what `wrong` (nullptr: anything) has no objection to; it
/// returns the objection or an empty text.
[[nodiscard]] Codec<std::string> text(std::string type, std::string example,
                                      std::string (*wrong)(const std::string&) = nullptr,
                                      std::string range = "");
/// Not written when empty: for texts that cannot be given empty.
[[nodiscard]] Codec<std::string> unless_empty(Codec<std::string> codec);
/// A scalar for `value`, with `${` made literal.
[[nodiscard]] ValuePtr text_value(const std::string& value);

/// Whole numbers. `words` stand for numbers of their own: none, auto.
template <class Int>
[[nodiscard]] Codec<Int> count(std::uint64_t least, std::uint64_t most,
                               std::vector<std::pair<std::string, Int>> words = {}) {
    Codec<Int> codec;
    codec.type = "number";
    for (const auto& [word, meaning] : words)
        codec.type += " or " + word;
    codec.range = fmt::format("{}-{}", least, most);
    codec.read = [=](Reader& reader, const Value& value, Int& into) {
        const auto given = reader.scalar(value, std::to_string(least));
        if (!given) return;
        std::string also;
        for (const auto& [word, meaning] : words) {
            if (*given == word) {
                into = meaning;
                return;
            }
            also += ", or " + word;
        }
        const auto parsed = parse_count(*given, least, most);
        if (parsed.value)
            into = static_cast<Int>(*parsed.value);
        else
            reader.error(value, parsed.wrong + also);
    };
    codec.write = [=](const Int& value) {
        for (const auto& [word, meaning] : words)
            if (value == meaning) return make_scalar(word);
        return make_scalar(fmt::format("{}", value));
    };
    return codec;
}

/// One word of several.
template <class E>
[[nodiscard]] Codec<E> choice(std::vector<std::pair<std::string, E>> words) {
    Codec<E> codec;
    for (const auto& [word, value] : words)
        codec.type += (codec.type.empty() ? "" : " | ") + word;
    codec.read = [words](Reader& reader, const Value& value, E& into) {
        const auto given = reader.scalar(value, words.front().first);
        if (!given) return;
        std::vector<std::string_view> known;
        for (const auto& [word, meaning] : words) {
            if (*given == word) {
                into = meaning;
                return;
            }
            known.push_back(word);
        }
        reader.error(value, fmt::format("unknown value {}; use {}{}", quoted(*given), either(known),
                                        did_you_mean(*given, known)));
    };
    codec.write = [words](const E& value) -> ValuePtr {
        for (const auto& [word, meaning] : words)
            if (value == meaning) return make_scalar(word);
        return nullptr;
    };
    return codec;
}

// -- codecs for structures

template <class V>
[[nodiscard]] Codec<std::optional<V>> optional(const Codec<V>& inner) {
    Codec<std::optional<V>> codec{inner.type, inner.range, {}, {}, inner.below, inner.children};
    codec.read = [read = inner.read](Reader& reader, const Value& value, std::optional<V>& into) {
        V made{};
        read(reader, value, made);
        into = std::move(made);
    };
    codec.write = [write = inner.write](const std::optional<V>& value) {
        return value ? write(*value) : nullptr;
    };
    return codec;
}

/// What stands where a section or `off` (`none`, `false`) may stand. Reports any other scalar.
enum class Switch : std::uint8_t { off, keys, wrong };
[[nodiscard]] Switch off_or_keys(Reader& reader, const Value& value, std::string_view example);

template <class V>
[[nodiscard]] Codec<V> section(const Table<V>& table, std::string example) {
    Codec<V> codec;
    codec.type = "section";
    codec.children = infos(table);
    codec.read = [&table, example](Reader& reader, const Value& value, V& into) {
        if (reader.is_section(value, example)) read_table(reader, table, value, into);
    };
    codec.write = [&table](const V& value) { return write_table(table, value); };
    return codec;
}

/// A section, or `off`: nothing. Keys are laid over what is there already.
template <class V>
[[nodiscard]] Codec<std::optional<V>> section_or_off(const Table<V>& table, std::string example) {
    Codec<V> inner = section(table, example);
    Codec<std::optional<V>> codec;
    codec.type = "section or off";
    codec.children = std::move(inner.children);
    codec.read = [read = inner.read, example](Reader& reader, const Value& value,
                                              std::optional<V>& into) {
        const Switch given = off_or_keys(reader, value, example);
        if (given == Switch::off) into.reset();
        if (given != Switch::keys) return;
        if (!into) into.emplace();
        read(reader, value, *into);
    };
    codec.write = [write = inner.write](const std::optional<V>& value) {
        return value ? write(*value) : make_scalar("off");
    };
    return codec;
}

/// A section of T's own keys, for names that belong together.
template <class T>
[[nodiscard]] Key<T> group(std::string name, const Table<T>& inside, std::string example,
                           std::string doc) {
    Key<T> made;
    made.info.name = std::move(name);
    made.info.type = "section";
    made.info.doc = std::move(doc);
    made.info.children = infos(inside);
    made.read = [&inside, example](Reader& reader, const Value& value, T& into) {
        if (reader.is_section(value, example)) read_table(reader, inside, value, into);
    };
    made.write = [&inside](const T& from) { return write_table(inside, from); };
    return made;
}

/// Items are kept even if something is wrong with them, so that indices stay those of the file.
template <class V>
[[nodiscard]] Codec<std::vector<V>> list(const Codec<V>& inner, std::string example) {
    Codec<std::vector<V>> codec;
    codec.type = "list of " + inner.type;
    codec.range = inner.range;
    codec.below = "[]";
    codec.children = inner.children;
    codec.read = [read = inner.read, example](Reader& reader, const Value& value,
                                              std::vector<V>& into) {
        if (!reader.is_list(value, example)) return;
        into.clear();
        for (const ValuePtr& item : value.items) {
            const Reader::Step at = reader.index(into.size(), *item);
            V made{};
            read(reader, *item, made);
            into.push_back(std::move(made));
        }
    };
    codec.write = [write = inner.write](const std::vector<V>& values) {
        std::vector<ValuePtr> items;
        for (const V& value : values)
            items.push_back(write(value));
        return make_sequence(std::move(items));
    };
    return codec;
}

}  // namespace scrollgate::config
