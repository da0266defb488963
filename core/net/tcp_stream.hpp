// Plain TCP on the loop's reactor.
#pragma once

#include <memory>
#include <string>

#include "core/net/event_loop.hpp"
#include "core/net/stream.hpp"

namespace scrollgate {

/// An unconnected TCP stream on `loop`, which sends `preface` as soon as it is connected.
[[nodiscard]] std::unique_ptr<Stream> make_tcp_stream(EventLoop& loop, std::string preface = {});

/// Takes over a connected, non-blocking descriptor. On failure (no memory for the watch) it is
/// closed and nothing is returned.
[[nodiscard]] std::unique_ptr<Stream> adopt_tcp_stream(EventLoop& loop, int descriptor);

}  // namespace scrollgate
