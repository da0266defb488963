// Topology: who serves which slots of a cluster, as CLUSTER SLOTS tells it; and what MOVED and ASK
// say. What a server writes is judged here: nothing beyond these bounds gets further. Stateless.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "cache/redis/reply.hpp"
#include "cache/redis/settings.hpp"

namespace scrollgate::redis {

struct SlotRange {
    std::uint16_t first = 0, last = 0;  ///< inclusive
    NodeName master;
    std::vector<NodeName> replicas;
};

/// The answer to CLUSTER SLOTS of a node that is reached as `asked`, which stands where a node has
/// no name. Nothing if it is none, or names more than limits::redis_nodes nodes.
[[nodiscard]] std::optional<std::vector<SlotRange>> read_slots(const Reply& reply,
                                                               const NodeName& asked);

struct Redirection {
    bool ask = false;  ///< ASK: this once; else MOVED: from now on
    std::uint16_t slot = 0;
    NodeName node;
};

/// "MOVED 3999 127.0.0.1:6381", "ASK …"; nothing if it is neither.
[[nodiscard]] std::optional<Redirection> read_redirection(const Reply& reply,
                                                          const NodeName& asked);

}  // namespace scrollgate::redis
