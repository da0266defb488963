// The key of a WebSocket handshake, by the example of RFC 6455 section 1.3.
#include "core/http1/websocket_handshake.hpp"

#include <doctest/doctest.h>

using namespace scrollgate;
using namespace scrollgate::http1;

TEST_CASE("a key is answered by its own hash and nothing else") {
    constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
    CHECK(answers_websocket_key(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    CHECK_FALSE(answers_websocket_key(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="));
    CHECK_FALSE(answers_websocket_key(key, ""));
    CHECK_FALSE(answers_websocket_key("", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
}

TEST_CASE("keys are 16 bytes in base64, and differ") {
    FastRng rng(1);
    const WebSocketKey one = make_websocket_key(rng), other = make_websocket_key(rng);
    CHECK(std::string_view(one.data(), one.size()).ends_with("=="));
    CHECK(one != other);
}
