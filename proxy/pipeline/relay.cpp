#include "proxy/pipeline/relay.hpp"

#include "core/limits.hpp"

namespace scrollgate {

Task<std::optional<RelayError>> relay(BodySource& from, BodySink& to, std::uint64_t& bytes,
                                      EventLoop& loop) {
    for (unsigned in_a_row = 1;; ++in_a_row) {
        if (in_a_row % limits::inline_chunks == 0) co_await loop.yield();
        if (!from.ready()) {
            const Result<void> flushed = co_await to.flush();
            if (!flushed) co_return RelayError{RelayError::End::sink, flushed.error()};
        }
        const Result<BodyChunk> chunk = co_await from.pull();
        if (!chunk) co_return RelayError{RelayError::End::source, chunk.error()};
        const Result<void> written = co_await to.write(*chunk);
        if (!written) co_return RelayError{RelayError::End::sink, written.error()};
        bytes += chunk->data.size();
        if (chunk->end) co_return std::nullopt;
    }
}

}  // namespace scrollgate
