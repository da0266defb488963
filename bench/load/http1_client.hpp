// An HTTP/1.1 client connection of the load generator: one request at a time, kept alive.
#pragma once

#include <memory>

#include "bench/load/dial.hpp"
#include "bench/load/load_worker.hpp"

namespace scrollgate::bench {

/// A client of `worker` that runs one coroutine. `dial` outlives it; `number` chooses the address
/// that it starts with.
[[nodiscard]] std::unique_ptr<LoadClient> make_http1_client(LoadWorker& worker, const Dial& dial,
                                                            std::size_t number);

}  // namespace scrollgate::bench
