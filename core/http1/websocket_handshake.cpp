#include "core/http1/websocket_handshake.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <openssl/evp.h>

namespace scrollgate::http1 {
namespace {

using Bytes = std::array<unsigned char, 16>;

constexpr std::string_view guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t sha1_size = 20, sha1_text = 28;

}  // namespace

WebSocketKey make_websocket_key(Rng& rng) noexcept {
    const std::array<std::uint64_t, 2> random{rng.next(), rng.next()};
    Bytes bytes{};
    std::memcpy(bytes.data(), random.data(), bytes.size());
    std::array<unsigned char, std::tuple_size_v<WebSocketKey> + 1> text{};  // terminated
    ::EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    WebSocketKey key{};
    std::copy_n(text.begin(), key.size(), key.begin());
    return key;
}

WebSocketAccept websocket_accept(std::string_view key) noexcept {
    std::array<char, std::tuple_size_v<WebSocketKey> + guid.size()> hashed{};
    key = key.substr(0, std::tuple_size_v<WebSocketKey>);
    key.copy(hashed.data(), key.size());
    guid.copy(hashed.data() + key.size(), guid.size());
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    WebSocketAccept accept{};
    if (::EVP_Digest(hashed.data(), key.size() + guid.size(), digest.data(), &size, ::EVP_sha1(),
                     nullptr) != 1)
        return accept;
    std::array<unsigned char, sha1_text + 1> text{};  // terminated
    ::EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(sha1_size));
    std::copy_n(text.begin(), accept.size(), accept.begin());
    return accept;
}

bool answers_websocket_key(std::string_view key, std::string_view accept) noexcept {
    if (key.size() != std::tuple_size_v<WebSocketKey> || accept.size() != sha1_text) return false;
    const WebSocketAccept right = websocket_accept(key);
    return right.front() != '\0' && accept == std::string_view(right.data(), right.size());
}

}  // namespace scrollgate::http1
