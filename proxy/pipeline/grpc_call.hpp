// What is different about a request that is a call of gRPC: its deadline, how it is told of our own
// errors, how it ends (decision 21). Version-neutral but for the client's end, which is HTTP/2.
#pragma once

#include <optional>

#include "core/grpc.hpp"
#include "proxy/pipeline/exchange.hpp"

namespace scrollgate {

/// The request is a gRPC call: a POST over HTTP/2 with gRPC's media type. Others that name it (gRPC
/// does not exist over HTTP/1, and clients of gRPC-Web read statuses of HTTP) are like any request.
[[nodiscard]] bool is_grpc_call(const RequestHead& request) noexcept;

/// Makes grpc-timeout the exchange's hard end if that is earlier than what it has. An Error if the
/// field is malformed, or the time over.
[[nodiscard]] std::optional<Error> bound_call(Exchange& x);

/// Makes grpc-timeout, if the client gave one, say what is left of the exchange's time. When the
/// request goes out, each time.
void tell_deadline(Exchange& x);

/// How a call has ended whose response is this head and nothing else; nothing for all others.
[[nodiscard]] std::optional<grpc::Status> trailers_only(const ResponseHead& head) noexcept;

/// The call was turned down with a status that the route asks elsewhere for (failover.retry_grpc):
/// no message has come, so another endpoint may be asked although the method is POST.
[[nodiscard]] bool is_turned_down(const Exchange& x, const ResponseHead& head) noexcept;

/// Adds grpc-status and grpc-message of an error of ours.
void add_grpc_status(Exchange& x, const Error& error, HeaderList& fields);

/// Ends a call whose response is under way: trailers with the error's status, where others are only
/// cut off. Aborts if nobody takes them.
[[nodiscard]] Task<void> end_call(Exchange& x, const Error& error);

/// The client's end while a response goes there; notes how a call ends.
class CallWatch final : public BodySink {
  public:
    /// With the final head in x.response.
    explicit CallWatch(Exchange& x) noexcept;
    /// What to write to.
    [[nodiscard]] BodySink& sink() noexcept;

    Task<Result<void>> write(const BodyChunk& chunk) override;
    Task<Result<void>> flush() override { return x_.sink->flush(); }
    std::size_t part_written() const noexcept override { return x_.sink->part_written(); }

  private:
    void note(const HeaderList& fields) noexcept;

    Exchange& x_;
};

}  // namespace scrollgate
