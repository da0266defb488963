// A naive reader of HTTP/1 messages for tests: what a peer on the wire would make of some bytes.
// Knows nothing of the product's own parsers, so that one bug cannot hide the other.
#pragma once

#include <string>
#include <string_view>

namespace scrollgate::test {

struct ReadMessage {
    bool complete = false;   ///< the head and the whole body are there
    bool malformed = false;  ///< no reading of the bytes makes sense
    int status = 0;          ///< of a response
    std::string head;        ///< start line and fields, with the empty line; empty if not all there
    std::string body;        ///< decoded, as far as it is there
    std::size_t size = 0;    ///< bytes of the complete message

    /// The value of a field, by its name as it is written; empty if it is not there.
    [[nodiscard]] std::string field(std::string_view name) const;
};

/// The first message in `bytes`. `ended`: no more will come. `bodiless`: the answer to a HEAD.
[[nodiscard]] ReadMessage read_message(std::string_view bytes, bool ended = false,
                                       bool bodiless = false);

/// The first message behind any 1xx responses (but 101).
[[nodiscard]] ReadMessage read_final(std::string_view bytes, bool ended = false,
                                     bool bodiless = false);

}  // namespace scrollgate::test
