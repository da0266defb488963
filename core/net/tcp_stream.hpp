// Plain TCP on the loop's reactor, and the seam through which connections are made.
#pragma once

#include <memory>

#include "core/net/event_loop.hpp"
#include "core/net/stream.hpp"

namespace scrollgate {

/// An unconnected TCP stream on `loop`.
[[nodiscard]] std::unique_ptr<Stream> make_tcp_stream(EventLoop& loop);

/// Takes over a connected, non-blocking descriptor. On failure (no memory for the watch) it is
/// closed and nothing is returned.
[[nodiscard]] std::unique_ptr<Stream> adopt_tcp_stream(EventLoop& loop, int descriptor);

/// Makes the streams of upstream connections; the second implementation is the tests' script.
class Dialer {
  public:
    virtual ~Dialer() = default;
    /// An unconnected stream; start_connect() comes next.
    [[nodiscard]] virtual std::unique_ptr<Stream> open(EventLoop& loop) = 0;
};

class TcpDialer final : public Dialer {
  public:
    std::unique_ptr<Stream> open(EventLoop& loop) override { return make_tcp_stream(loop); }
};

}  // namespace scrollgate
