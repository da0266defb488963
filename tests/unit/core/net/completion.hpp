// What an operation of a Stream came to, and the text of one read, for tests of every kind of
// Stream.
#pragma once

#include <string>

#include <boost/asio/error.hpp>
#include <doctest/doctest.h>

#include "core/net/stream.hpp"

namespace scrollgate::test {

/// Counts its completions.
struct Completion final : IoHandler {
    void done(IoResult got) noexcept override {
        ++count;
        result = got;
    }
    [[nodiscard]] std::string message() const {
        if (count != 1) return std::to_string(count) + " completions";
        return result.error ? result.error.message() : "ok";
    }
    int count = 0;
    IoResult result;
};

/// The text of a read with room for `room` bytes; "(nothing)", "(end)", "(…)" for other errors.
/// `settle` runs what is ready.
template <class Settle>
std::string read_text(Stream& stream, std::size_t room, Settle settle) {
    std::string into(room, '\0');
    Completion completion;
    stream.start_read(into, completion);
    CHECK(completion.count == 0);  // never from inside the call
    settle();
    if (completion.count == 0) {
        stream.cancel_read();
        settle();
        CHECK(completion.result.error == boost::asio::error::operation_aborted);
        return "(nothing)";
    }
    CHECK(completion.count == 1);
    if (completion.result.error == boost::asio::error::eof) return "(end)";
    if (completion.result.error) return "(" + completion.result.error.message() + ")";
    return into.substr(0, completion.result.bytes);
}

}  // namespace scrollgate::test
