#include "core/grpc_health.hpp"

namespace scrollgate::grpc {
namespace {

constexpr std::size_t prefix = 5;  // "compressed" and the length, big endian

/// Protobuf's wire types (encoding.md); groups are not in use any more.
enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_varint(std::string& to, std::size_t value) {
    for (; value >= 0x80; value >>= 7)
        to += static_cast<char>(value | 0x80);
    to += static_cast<char>(value);
}

/// Takes a protobuf message apart; nothing is ever read beyond its end.
class Fields {
  public:
    explicit Fields(std::string_view message) noexcept : rest_(message) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
    [[nodiscard]] std::optional<std::uint64_t> varint() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) return value;
        }
        return std::nullopt;
    }
    /// Passes over a value; false if it is none.
    [[nodiscard]] bool skip(std::uint64_t wire) noexcept {
        std::uint64_t size = 0;
        switch (static_cast<Wire>(wire)) {
            case Wire::varint:
                return varint().has_value();
            case Wire::fixed64:
                size = 8;
                break;
            case Wire::fixed32:
                size = 4;
                break;
            case Wire::bytes: {
                const std::optional<std::uint64_t> length = varint();
                if (!length) return false;
                size = *length;
                break;
            }
            default:
                return false;
        }
        if (size > rest_.size()) return false;
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return true;
    }

  private:
    std::string_view rest_;
};

}  // namespace

std::string_view name(Serving serving) noexcept {
    switch (serving) {
        case Serving::serving:
            return "SERVING";
        case Serving::not_serving:
            return "NOT_SERVING";
        case Serving::service_unknown:
            return "SERVICE_UNKNOWN";
        case Serving::unknown:
            break;
    }
    return "UNKNOWN";
}

std::string health_request(std::string_view service) {
    std::string message;
    if (!service.empty()) {
        message += '\x0a';  // field 1, bytes
        append_varint(message, service.size());
        message += service;
    }
    std::string body(prefix, '\0');
    for (std::size_t i = 0; i < 4; ++i)
        body[prefix - 1 - i] = static_cast<char>(message.size() >> (8 * i));
    return body + message;
}

std::optional<Serving> health_response(std::string_view body) noexcept {
    if (body.size() < prefix || body.front() != '\0') return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 1; i < prefix; ++i)
        length = length << 8 | static_cast<unsigned char>(body[i]);
    if (length != body.size() - prefix) return std::nullopt;
    Serving serving = Serving::unknown;
    for (Fields fields(body.substr(prefix)); !fields.empty();) {
        const std::optional<std::uint64_t> tag = fields.varint();
        if (!tag || *tag < 8) return std::nullopt;  // there is no field 0
        if (*tag != 8) {
            if (!fields.skip(*tag & 7)) return std::nullopt;
            continue;
        }
        const std::optional<std::uint64_t> value = fields.varint();
        if (!value) return std::nullopt;
        serving = *value <= 3 ? static_cast<Serving>(*value) : Serving::unknown;
    }
    return serving;
}

}  // namespace scrollgate::grpc
