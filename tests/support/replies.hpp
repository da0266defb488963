// Replies of Redis, made by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cache/redis/reply.hpp"

namespace scrollgate::test {

inline redis::Reply text(std::string value) {
    return {redis::Reply::Kind::text, 0, std::move(value), {}};
}

inline redis::Reply array(std::vector<redis::Reply> elements) {
    return {redis::Reply::Kind::array, 0, {}, std::move(elements)};
}

/// A record of a stream, as XRANGE gives it back: an id and "name value name value".
inline redis::Reply entry(std::string id, const std::vector<std::string>& words) {
    std::vector<redis::Reply> fields;
    for (const std::string& word : words)
        fields.push_back(text(word));
    return array({text(std::move(id)), array(std::move(fields))});
}

}  // namespace scrollgate::test
