// The ends of an Exchange: where a body comes from, where a response goes.
//
// HTTP/1 sessions, upstream connections, tunnels and local answers each implement an end; the relay
// between any two of them exists once (relay.hpp). Back-pressure is pull: the next pull() comes
// only after the previous write() has finished. Between two ends that can, the kernel carries the
// bytes in a pipe and nobody sees them (splice(2)). One worker; no locks.
#pragma once

#include <string_view>

#include "core/clock.hpp"
#include "core/message.hpp"
#include "core/net/pipe_pool.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scrollgate {

struct BodyChunk {
    std::string_view data;                 ///< valid until the next pull()
    bool end = false;                      ///< nothing follows
    const HeaderList* trailers = nullptr;  ///< with `end`, if there were any
    Pipe* pipe = nullptr;                  ///< holds the bytes, all that are in it, instead of data

    [[nodiscard]] std::size_t size() const noexcept { return pipe ? pipe->held() : data.size(); }
};

class BodySource {
  public:
    virtual ~BodySource() = default;
    /// The next bytes (at least one) or the end, possibly both at once. Not after the end.
    [[nodiscard]] virtual Task<Result<BodyChunk>> pull() = 0;
    /// The next bytes could be given in a pipe.
    [[nodiscard]] virtual bool can_pipe() const noexcept { return false; }
    /// pull() with the bytes in a pipe, which is leased for `pipe` (empty) when they are there; to
    /// a sink that can take one. If none is free, or little comes, they are data as ever.
    [[nodiscard]] virtual Task<Result<BodyChunk>> pull_piped(PipeLease& pipe) {
        static_cast<void>(pipe);
        return pull();
    }
    /// pull() would not have to wait.
    [[nodiscard]] virtual bool ready() const noexcept = 0;
    /// The end has been pulled.
    [[nodiscard]] virtual bool ended() const noexcept = 0;
    /// From the next pull() on: most time without a byte, and the hard end.
    virtual void bound(Duration stall, TimePoint until) noexcept = 0;
    /// A pull() that waits ends soon with Error cancelled; no other one follows before resume().
    virtual void interrupt() noexcept = 0;
    /// Takes interrupt() back, when no pull() waits any more.
    virtual void resume() noexcept = 0;
};

class BodySink {
  public:
    virtual ~BodySink() = default;
    /// Sends `chunk` with whatever head is pending, in one go. Finished = handed to the kernel.
    [[nodiscard]] virtual Task<Result<void>> write(const BodyChunk& chunk) = 0;
    /// After a write() that failed: how many bytes of its chunk were taken all the same.
    [[nodiscard]] virtual std::size_t part_written() const noexcept { return 0; }
    /// Sends a pending head alone.
    [[nodiscard]] virtual Task<Result<void>> flush() = 0;
    /// write() takes bytes in a pipe, which is empty when it has finished without an Error.
    [[nodiscard]] virtual bool can_pipe() const noexcept { return false; }
};

class ResponseSink : public BodySink {
  public:
    /// Sends a 1xx head at once (not 101). Does nothing for a client that cannot read it.
    [[nodiscard]] virtual Task<Result<void>> interim(const ResponseHead& head) = 0;
    /// Sends a 101 head that switches to `protocol`. From then on write() sends bytes as they are,
    /// its end being a half-close, and the request's BodySource gives what the client sends, until
    /// it half-closes.
    [[nodiscard]] virtual Task<Result<void>> upgrade(const ResponseHead& head,
                                                     std::string_view protocol) = 0;
    /// The request has been read to its end: a client that goes away is to be noticed from now on.
    virtual void watch() = 0;
    /// Takes the final head; it leaves with the first write() or flush(). The views may go after
    /// this call. Another one may replace it until committed(). `lines` are fields that are
    /// serialised already ("Name: value\r\n" each) and stand in front of those of `head`: none
    /// that is about framing or the connection.
    virtual void head(const ResponseHead& head, std::string_view lines) = 0;
    void head(const ResponseHead& only) { head(only, {}); }
    /// From the next write() on: most time in which the client takes no byte, and the hard end.
    virtual void bound(Duration stall, TimePoint until) noexcept = 0;
    /// The head has left: a different answer is no longer possible.
    [[nodiscard]] virtual bool committed() const noexcept = 0;
    /// The response cannot be completed: the client must see that it is cut short.
    virtual void abort() noexcept = 0;
};

}  // namespace scrollgate
