#include "proxy/caching/answer.hpp"

#include "proxy/pipeline/relay.hpp"
#include "proxy/server/worker.hpp"

namespace scrollgate {

Task<Result<void>> send_answer(Exchange& x, BodySource& body, std::string_view lines) {
    x.record.status = x.response.status;
    x.sink->head(x.response, lines);
    const std::optional<RelayError> broke =
        co_await relay(body, *x.sink, x.record.bytes_out, x.worker.loop());
    if (x.cancelled) co_return Error{*x.cancelled};
    if (broke) co_return broke->error;
    co_return Result<void>();
}

Task<Result<void>> send_head(Exchange& x, std::string_view lines) {
    x.record.status = x.response.status;
    x.sink->head(x.response, lines);
    const BodyChunk nothing{{}, true, nullptr};
    co_return co_await x.sink->write(nothing);
}

}  // namespace scrollgate
