// OriginEnd: the origin's end of an attempt, whichever version of HTTP it speaks there.
//
// An attempt (attempt.hpp) is the conversation, the same for all versions; an end knows how a head,
// a body, a tunnel look on the wire, and what its connection is good for afterwards. Recycled by
// the worker: begin() binds one to an exchange and a connection, finish() gives both back.
// An Error of its own says in retry_safe only whether the origin has certainly not acted on the
// request; what follows from that is the attempt's to say. One worker; no locks.
#pragma once

#include <string_view>

#include "core/clock.hpp"
#include "core/message.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "proxy/pipeline/ends.hpp"
#include "proxy/upstream/call_off.hpp"

namespace scrollgate {

class OriginEnd : public CallOff {
  public:
    // -- the request
    /// Sends the head of the exchange's request to `host`, alone if `flush`; else it may wait for
    /// the first bytes of the body. Once, first. `host` stays valid until it has finished.
    [[nodiscard]] virtual Task<Result<void>> send(std::string_view host, bool flush) = 0;
    /// Where the request's body goes after send().
    [[nodiscard]] virtual BodySink& request() noexcept = 0;
    /// No byte of the request has left: it cannot have had an effect.
    [[nodiscard]] virtual bool untouched() const noexcept = 0;

    // -- the response
    /// Time for the next head, also for one that is awaited now: after `when` it is `late`.
    virtual void expect_by(TimePoint when, ErrorKind late) = 0;
    /// The next head, 1xx or final. Its views are valid until the next call, those of a final one
    /// until finish(). One at a time, beside the request's body.
    [[nodiscard]] virtual Task<Result<void>> next_head(ResponseHead& head) = 0;
    /// The body behind the final `head`.
    [[nodiscard]] virtual BodySource& response(const ResponseHead& head) = 0;

    /// After a 101: bytes as they are, both ways; the end of each is a half-close. A write may wait
    /// for `idle`.
    struct Tunnel {
        BodySource& from;
        BodySink& to;
    };
    [[nodiscard]] virtual Tunnel open_tunnel(Duration idle) = 0;

    // -- the end
    /// Whether `error`, with which next_head() or send() ended, is one of a connection that was no
    /// good any more: another one to the same endpoint is worth a try.
    [[nodiscard]] virtual bool died_unused(const Error& error) const noexcept = 0;
    /// The origin has taken as many requests on the connection as it takes on one, and this one is
    /// beyond: nothing speaks against the endpoint.
    [[nodiscard]] virtual bool spent() const noexcept { return false; }
    /// Gives the connection back: for another exchange if `whole` (both messages went through), if
    /// not as far as it still is of use. The end itself is given back, too, and not to be touched
    /// any more. Nothing of it may be awaited.
    virtual void finish(bool whole) noexcept = 0;

  protected:
    ~OriginEnd() = default;
};

}  // namespace scrollgate
