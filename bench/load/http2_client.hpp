// An HTTP/2 client of the load generator: a connection that carries the plan's streams at a time.
#pragma once

#include <memory>

#include "bench/load/dial.hpp"
#include "bench/load/load_worker.hpp"

namespace scrollgate::bench {

/// A client of `worker` that runs a coroutine per stream of the plan, of which no more take jobs
/// than the peer allows streams. A connection that ends, or says GOAWAY, is replaced by another; a
/// request that a GOAWAY left undone is sent again on that one and does not count as failed. `dial`
/// outlives it; `number` chooses the address that it starts with.
[[nodiscard]] std::unique_ptr<LoadClient> make_http2_client(LoadWorker& worker, const Dial& dial,
                                                            std::size_t number);

}  // namespace scrollgate::bench
