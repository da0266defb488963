#include "proxy/http2/websocket.hpp"

#include "core/field.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {
namespace {

/// 16 random bytes in base64 (RFC 6455 section 4.1): 21 digits of six bits, one of two, padding.
std::string_view make_key(Exchange& x) {
    constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::size_t size = 24, whole = 21;
    Rng& rng = x.worker.loop().rng();
    char* const text = x.arena.take(size);
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < whole; ++i, bits >>= 6) {
        if (i % 10 == 0) bits = rng.next();
        text[i] = digits[bits & 63];
    }
    text[whole] = digits[(bits & 3) << 4];
    text[whole + 1] = text[whole + 2] = '=';
    return {text, size};
}

}  // namespace

void ask_for_upgrade(Exchange& x, std::string_view protocol) {
    HeaderList& fields = x.request.fields;
    fields.remove(Field::upgrade);
    fields.remove(Field::sec_websocket_key);
    fields.add(Field::upgrade, protocol);
    if (equal_no_case(protocol, "websocket")) fields.add(Field::sec_websocket_key, make_key(x));
    x.upgrade = x.must_upgrade = true;
}

}  // namespace scrollgate
