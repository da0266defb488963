// Http2Line: what the two ends of a stream need of whoever carries its session.
#pragma once

#include "core/http2/session.hpp"

namespace scrollgate {

class Http2Line {
  public:
    /// So many bytes of `stream`, which may be gone, were taken in: the peer may send as many more
    /// on it. The connection's window is not held back by what waits.
    virtual void consumed(http2::SessionStream& stream, std::size_t bytes) noexcept = 0;
    /// `stream`, which may be gone, has something to send.
    virtual void more_to_send(http2::SessionStream& stream) noexcept = 0;

  protected:
    ~Http2Line() = default;
};

}  // namespace scrollgate
