// Micro benchmark: a chunked body of 64 KiB is decoded, by the size of its chunks.
#include <algorithm>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "core/http1/chunk_decoder.hpp"
#include "core/limits.hpp"

namespace scrollgate::bench {
namespace {

constexpr std::size_t body_size = 64 * limits::KiB;

std::string chunked_body(std::size_t chunk) {
    std::string text;
    for (std::size_t left = body_size; left > 0; left -= std::min(chunk, left))
        text +=
            fmt::format("{:x}\r\n{:x<{}}\r\n", std::min(chunk, left), "", std::min(chunk, left));
    return text + "0\r\n\r\n";
}

/// The input comes in reads of the size that connections have.
void decode_chunks(benchmark::State& state) {
    using Kind = http1::ChunkDecoder::Step::Kind;
    const std::string text = chunked_body(static_cast<std::size_t>(state.range(0)));
    http1::ChunkDecoder decoder;
    for (auto _ : state) {
        decoder.reset();
        std::size_t content = 0;
        for (std::string_view left = text; !left.empty();) {
            const auto step = decoder.next(left.substr(0, limits::buffer_small));
            content += step.data.size();
            left.remove_prefix(step.consumed);
            if (step.kind == Kind::failed || step.kind == Kind::done) break;
        }
        if (content != body_size) state.SkipWithError("the body was not decoded");
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body_size));
}
BENCHMARK(decode_chunks)->ArgName("chunk")->Arg(64)->Arg(1024)->Arg(16 * 1024);

}  // namespace
}  // namespace scrollgate::bench
