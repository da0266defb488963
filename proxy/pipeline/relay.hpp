// The relay: moves a body from a source to a sink. The only one.
#pragma once

#include <cstdint>
#include <optional>

#include "core/net/event_loop.hpp"
#include "proxy/pipeline/ends.hpp"

namespace scrollgate {

/// Which end broke a relay.
struct RelayError {
    enum class End : std::uint8_t { source, sink };
    End end;
    Error error;
};

/// Pulls until the end of `from`, writing each chunk to `to`. What `to` has pending (a head) goes
/// out with the first chunk if that is there already, alone if not. `bytes` counts as it goes.
/// Where both ends can, the bytes go in a pipe of `loop`'s. A body of many chunks, or of many bytes
/// that are there already, lets other connections have their turn on `loop`.
[[nodiscard]] Task<std::optional<RelayError>> relay(BodySource& from, BodySink& to,
                                                    std::uint64_t& bytes, EventLoop& loop);

}  // namespace scrollgate
