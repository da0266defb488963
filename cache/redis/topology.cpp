#include "cache/redis/topology.hpp"

#include <algorithm>
#include <charconv>

#include "cache/redis/slot.hpp"
#include "core/limits.hpp"

namespace scrollgate::redis {
namespace {

constexpr std::size_t longest_name = 255;

bool is_name(std::string_view host) {
    return !host.empty() && host.size() <= longest_name &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '-' || c == '_' || c == ':';
           });
}

/// [host or nil, port, …]: a node of which only the port is known is where we have asked.
std::optional<NodeName> read_node(const Reply& reply, const NodeName& asked) {
    if (!reply.is_array() || reply.elements.size() < 2) return {};
    const Reply& host = reply.elements[0];
    const Reply& port = reply.elements[1];
    if (!port.is_integer() || port.integer < 1 || port.integer > 65'535) return {};
    NodeName node{asked.host, static_cast<std::uint16_t>(port.integer)};
    if (host.is_nil() || host.text.empty() || host.text == "?") return node;
    if (!host.is_text() || !is_name(host.text)) return {};
    node.host = host.text;
    return node;
}

std::optional<SlotRange> read_range(const Reply& reply, const NodeName& asked) {
    if (!reply.is_array() || reply.elements.size() < 3) return {};
    const Reply& first = reply.elements[0];
    const Reply& last = reply.elements[1];
    if (!first.is_integer() || !last.is_integer() || first.integer < 0 ||
        last.integer < first.integer || last.integer >= slots)
        return {};
    SlotRange range;
    range.first = static_cast<std::uint16_t>(first.integer);
    range.last = static_cast<std::uint16_t>(last.integer);
    for (std::size_t i = 2; i < reply.elements.size(); ++i) {
        std::optional<NodeName> node = read_node(reply.elements[i], asked);
        if (!node) return {};
        if (i == 2) {
            range.master = *std::move(node);
        } else {
            range.replicas.push_back(*std::move(node));
        }
    }
    return range;
}

}  // namespace

std::optional<std::vector<SlotRange>> read_slots(const Reply& reply, const NodeName& asked) {
    if (!reply.is_array()) return {};
    std::vector<SlotRange> ranges;
    std::vector<NodeName> known;
    const auto note = [&known](const NodeName& node) {
        if (std::find(known.begin(), known.end(), node) == known.end()) known.push_back(node);
    };
    for (const Reply& each : reply.elements) {
        std::optional<SlotRange> range = read_range(each, asked);
        if (!range) return {};
        note(range->master);
        for (const NodeName& replica : range->replicas)
            note(replica);
        if (known.size() > limits::redis_nodes) return {};
        ranges.push_back(*std::move(range));
    }
    return ranges;
}

std::optional<Redirection> read_redirection(const Reply& reply, const NodeName& asked) {
    const std::string_view code = reply.code();
    if (code != "MOVED" && code != "ASK") return {};
    std::string_view rest = std::string_view(reply.text).substr(code.size());
    if (rest.empty()) return {};
    rest.remove_prefix(1);
    const std::size_t blank = rest.find(' ');
    if (blank == rest.npos) return {};
    const auto number = [](std::string_view text, unsigned most) -> std::optional<std::uint16_t> {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size() || value > most) return {};
        return static_cast<std::uint16_t>(value);
    };
    const std::string_view place = rest.substr(blank + 1);
    // IPv6 comes without brackets: the port is behind the last colon.
    const std::size_t colon = place.rfind(':');
    if (colon == place.npos) return {};
    const auto slot = number(rest.substr(0, blank), slots - 1U);
    const auto port = number(place.substr(colon + 1), 65'535);
    const std::string_view host = place.substr(0, colon);
    if (!slot || !port || *port == 0 || (!host.empty() && host != "?" && !is_name(host))) return {};
    const bool unnamed = host.empty() || host == "?";
    return Redirection{code == "ASK", *slot, {unnamed ? asked.host : std::string(host), *port}};
}

}  // namespace scrollgate::redis
