#include "tests/support/read_message.hpp"

#include <charconv>

namespace scrollgate::test {
namespace {

std::size_t number(std::string_view text, int base, bool& good) {
    std::size_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
    good = result.ec == std::errc() && result.ptr == text.data() + text.size();
    return value;
}

void read_chunks(ReadMessage& message, std::string_view rest) {
    const std::size_t before = rest.size();
    for (;;) {
        const std::size_t line = rest.find("\r\n");
        if (line == std::string_view::npos) return;
        bool good = false;
        const std::size_t size = number(rest.substr(0, line), 16, good);
        if (!good) message.malformed = true;
        if (!good) return;
        rest.remove_prefix(line + 2);
        if (size == 0) break;
        message.body += rest.substr(0, size);
        if (rest.size() < size + 2) return;
        message.malformed = message.malformed || rest.substr(size, 2) != "\r\n";
        rest.remove_prefix(size + 2);
    }
    const std::size_t end = rest.starts_with("\r\n") ? 0 : rest.find("\r\n\r\n");
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end == 0 ? 2 : end + 4);
    message.complete = true;
    message.size = message.head.size() + before - rest.size();
}

}  // namespace

std::string ReadMessage::field(std::string_view name) const {
    const std::string key = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(key);
    if (at == std::string::npos) return {};
    const std::size_t from = at + key.size();
    return head.substr(from, head.find("\r\n", from) - from);
}

ReadMessage read_message(std::string_view bytes, bool ended, bool bodiless) {
    ReadMessage message;
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return message;
    message.head = bytes.substr(0, end + 4);
    const bool response = bytes.starts_with("HTTP/1.");
    bool good = true;
    if (response) message.status = static_cast<int>(number(bytes.substr(9, 3), 10, good));
    const std::string_view rest = bytes.substr(end + 4);
    const int status = message.status;
    const bool empty = bodiless || status == 204 || status == 304 || (response && status < 200);
    const std::string length = message.field("Content-Length");
    if (!good) {
        message.malformed = true;
    } else if (empty) {
        message.complete = true;
        message.size = end + 4;
    } else if (message.field("Transfer-Encoding") == "chunked") {
        message.malformed = !length.empty();
        read_chunks(message, rest);
    } else if (!length.empty() || !response) {
        const std::size_t size = length.empty() ? 0 : number(length, 10, good);
        message.malformed = !good;
        message.body = rest.substr(0, size);
        message.complete = good && message.body.size() == size;
        message.size = end + 4 + size;
    } else {
        message.body = rest;
        message.complete = ended;
        message.size = bytes.size();
    }
    return message;
}

ReadMessage read_final(std::string_view bytes, bool ended, bool bodiless) {
    for (;;) {
        ReadMessage message = read_message(bytes, ended, bodiless);
        const bool interim = message.complete && message.status >= 100 && message.status < 200 &&
                             message.status != 101;
        if (!interim) return message;
        bytes.remove_prefix(message.size);
    }
}

}  // namespace scrollgate::test
