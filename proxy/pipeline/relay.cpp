#include "proxy/pipeline/relay.hpp"

#include <utility>

#include "core/limits.hpp"

namespace scrollgate {

Task<std::optional<RelayError>> relay(BodySource& from, BodySink& to, std::uint64_t& bytes,
                                      EventLoop& loop) {
    PipeLease pipe;  // closed with what is in it if anything goes wrong
    std::size_t at_a_time = 0;
    for (unsigned in_a_row = 1;; ++in_a_row) {
        if (in_a_row % limits::inline_chunks == 0 || at_a_time >= limits::inline_bytes) {
            at_a_time = 0;
            co_await loop.yield();
        }
        if (!from.ready()) {
            const Result<void> flushed = co_await to.flush();
            if (!flushed) co_return RelayError{RelayError::End::sink, flushed.error()};
        }
        const bool piped = from.can_pipe() && to.can_pipe();
        Task<Result<BodyChunk>> pull = piped ? from.pull_piped(pipe) : from.pull();
        const Result<BodyChunk> chunk = co_await std::move(pull);
        if (!chunk) co_return RelayError{RelayError::End::source, chunk.error()};
        const std::size_t size = chunk->size();
        const Result<void> written = co_await to.write(*chunk);
        bytes += written ? size : to.part_written();
        if (!written) co_return RelayError{RelayError::End::sink, written.error()};
        at_a_time += piped ? size : 0;
        pipe.release();
        if (chunk->end) co_return std::nullopt;
    }
}

}  // namespace scrollgate
