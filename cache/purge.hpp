// Purge: what is to be forgotten, by URL, prefix, tag, or all of it.
//
// A purge takes effect at once: it gets a number, and whatever was asked for before that number is
// compared with it when it is read, joined or committed. Memory is given back by a sweep
// afterwards.
#pragma once

#include <cstdint>
#include <string>

namespace scrollgate {

struct Purge {
    enum class By : std::uint8_t { url, prefix, tag, all };
    By by = By::all;
    /// url and prefix: canonical authority and target ("a.example/x?y"), in all partitions and
    /// variants. tag: the tag.
    std::string what;
    std::string scheme;   ///< url and prefix: empty: both
    bool soft = false;    ///< keeps it for the case that the origin fails; validated before use
    bool counted = true;  ///< somebody will ask CacheStore::purged_by(); false: a later one of the
                          ///< same may take its place before it is swept
};

}  // namespace scrollgate
