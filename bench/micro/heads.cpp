// Micro benchmark: a request's head is parsed, and its fields are looked up.
#include <benchmark/benchmark.h>

#include "bench/micro/messages.hpp"
#include "core/http1/head_parser.hpp"
#include "core/limits.hpp"

namespace scrollgate::bench {
namespace {

constexpr http1::HeadLimits head_limits{limits::header_bytes, limits::headers, limits::uri_bytes};

/// Parses `text` into `head`, whose capacity is kept as an Exchange keeps it.
bool parse(std::string_view text, RequestHead& head) {
    head.clear();
    std::size_t scanned = 0;
    const auto parsed = http1::parse_request_head(text, head_limits, scanned, head);
    return parsed.status == http1::ParseResult::Status::complete;
}

void parse_head(benchmark::State& state, std::string_view text) {
    RequestHead head;
    for (auto _ : state) {
        if (!parse(text, head)) state.SkipWithError("the message was refused");
        benchmark::DoNotOptimize(head);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse_head, small, small_request);
BENCHMARK_CAPTURE(parse_head, real, real_request);

/// `key`: a Field or a name. In the real request, as it was parsed.
template <class Key>
void find_field(benchmark::State& state, Key key, bool there) {
    RequestHead head;
    if (!parse(real_request, head) || (head.fields.find(key) != nullptr) != there)
        state.SkipWithError("the field is not where it should be");
    for (auto _ : state) {
        benchmark::DoNotOptimize(key);
        benchmark::DoNotOptimize(head.fields.find(key));
    }
}
BENCHMARK_CAPTURE(find_field, id_first, Field::host, true);
BENCHMARK_CAPTURE(find_field, id_late, Field::pragma, true);
BENCHMARK_CAPTURE(find_field, id_miss, Field::upgrade, false);
BENCHMARK_CAPTURE(find_field, name_first, std::string_view("host"), true);
BENCHMARK_CAPTURE(find_field, name_last, std::string_view("priority"), true);
BENCHMARK_CAPTURE(find_field, name_miss, std::string_view("x-beta"), false);

}  // namespace
}  // namespace scrollgate::bench
