// Micro benchmark: one line of the access log, by format and by what stands in it.
#include <vector>

#include <benchmark/benchmark.h>

#include "proxy/observe/log_line.hpp"

namespace scrollgate::bench {
namespace {

using namespace std::chrono_literals;
using Format = config::AccessLog::Format;

Endpoint an_endpoint() {
    Endpoint endpoint;
    endpoint.pool = "aws";
    endpoint.provider = "aws";
    endpoint.region = "us-east-1";
    endpoint.text = "10.0.1.10:8080";
    return endpoint;
}

ExchangeRecord a_record(const Endpoint& endpoint) {
    ExchangeRecord record;
    record.started = TimePoint(10s);
    record.ended = TimePoint(10s + 12'345'678ns);
    record.wall = WallTime(1'772'420'645s + 7ms);
    record.client = "192.0.2.7";
    record.method = "GET";
    record.host = "market.example";
    record.path = "/metadata/1205.json?full=1";
    record.referer = "https://market.example/collections/scrolls?page=4&sort=price";
    record.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    record.request_id = "8f14e45fceea167a5a36dedd4bea2543";
    record.status = 200;
    record.bytes_out = 1024;
    record.route = 0;
    record.route_name = "metadata";
    record.endpoint = &endpoint;
    record.attempts = 1;
    record.connect = 0ns;
    record.first_byte = 1'500us;
    return record;
}

/// `path`: another one than usual; empty: the usual one.
void format_line(benchmark::State& state, Format format, std::string_view path) {
    const Endpoint endpoint = an_endpoint();
    ExchangeRecord record = a_record(endpoint);
    if (!path.empty()) record.path = path;
    LineFormatter formatter;
    std::vector<char> room(LineFormatter::bound(record));
    std::int64_t bytes = 0;
    for (auto _ : state) {
        record.wall += 10us;  // the date is made anew with every second
        char* const end = formatter.format(format, record, room.data());
        benchmark::ClobberMemory();
        bytes += end - room.data();
    }
    state.SetBytesProcessed(bytes);
}
BENCHMARK_CAPTURE(format_line, json, Format::json, "");
BENCHMARK_CAPTURE(format_line, combined, Format::combined, "");
BENCHMARK_CAPTURE(format_line, json_hostile_path, Format::json,
                  "/\"\x01\x02\\\xff\xfe<script>\"\"\"\"\n\n\n\n\t\t\t\t\x7f\x80\x81\x82");

}  // namespace
}  // namespace scrollgate::bench
