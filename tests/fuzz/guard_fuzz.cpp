// From a client's bytes to the head that an origin gets: whatever comes in, what goes out is one
// message that an independent parser (Beast) reads as we meant it, with nothing of this hop in it.
#include <memory>
#include <string>

#include "config/loader.hpp"
#include "core/http1/head_parser.hpp"
#include "core/http1/head_writer.hpp"
#include "proxy/caching/response_cache.hpp"
#include "proxy/pipeline/guard.hpp"
#include "proxy/pipeline/prepare.hpp"
#include "proxy/server/worker.hpp"
#include "tests/fuzz/head_oracle.hpp"

namespace {

using namespace scrollgate;
using namespace scrollgate::fuzz;

constexpr std::string_view yaml = R"(
listeners: [ { name: plain, address: "127.0.0.1:8080" } ]
trusted_proxies: [ 10.0.0.0/8 ]
self: { node: fuzz-node }
access_log: { format: off }
pools: { a: { host: client, endpoints: [ "127.0.0.1:9" ] } }
routes:
  - { name: raw, match: { path_prefix: /raw }, raw_path: true, pools: [ a ] }
  - name: rewritten
    match: { path_prefix: /old }
    rewrite: { strip_prefix: /old }
    request_headers: { set: { X-Set: "1" }, remove: [ X-Gone ] }
    pools: [ a ]
  - { name: rest, pools: [ a ] }
)";

/// A worker that never runs: the guard needs its snapshot, its dice and its clock.
struct World {
    Metrics metrics{1};
    AccessLog log{{"-", config::AccessLog::Format::off}, 1};
    Admission admission;
    ResponseCache cache{system_clock()};
    SocketDialer dialer;
    std::vector<std::unique_ptr<Worker>> others;
    Worker worker;

    World()
        : worker(0, {system_clock(), dialer, metrics, log, admission, cache, others}, 528,
                 snapshot(metrics), {}) {}

    static std::shared_ptr<const Snapshot> snapshot(Metrics& metrics) {
        config::Loaded loaded = config::load_text(yaml);
        require(loaded.ok(), "the configuration of this target is wrong");
        return std::make_shared<const Snapshot>(
            1, std::make_shared<const config::Config>(std::move(loaded.config)), "fuzz-node",
            WallTime{}, metrics);
    }
};

/// What the proxy does with a parsed head, up to the bytes for the origin; empty when refused.
std::string forwarded(Exchange& x) {
    const Result<std::string_view> path = guard(x);
    if (!path) return {};
    const Snapshot& snapshot = *x.snapshot->shared;
    const auto index = snapshot.router.find(x.client->listener, *path, x.request);
    if (!index) return {};
    x.route = &snapshot.routes[*index];
    if (prepare_target(x, *path)) return {};
    prepare_fields(x);
    std::string out;
    http1::append_request_head(out, x.request.method_text, x.target, "origin.example",
                               x.request.fields, {x.request.body, {}, {}});
    return out;
}

void require_clean(std::string_view out, const Exchange& x) {
    BeastHead<true> beast;
    require(beast.read(out), "Beast refuses what we send");
    require(out.find("\r\n\r\n") + 4 == out.size(), "more than one head");
    require(beast.method == x.request.method_text && beast.target == x.target, "other line");
    require(beast.chunked() == (x.request.body.kind == BodyFraming::Kind::chunked), "chunked");
    const bool measured = x.request.body.kind == BodyFraming::Kind::length;
    require(beast.content_length().has_value() == measured, "Content-Length");
    if (measured) require(*beast.content_length() == x.request.body.length, "other length");
    unsigned hosts = 0, vias = 0, real = 0;
    for (const auto& field : beast.fields) {
        const Field id = field_id(field.name);
        require(id != Field::connection && id != Field::upgrade && id != Field::te &&
                    id != Field::keep_alive && id != Field::http2_settings,
                "a field of this hop");
        require(field.name.find('_') == std::string::npos, "a name with an underscore");
        hosts += id == Field::host;
        vias += id == Field::via;
        real += id == Field::x_real_ip;
    }
    require(hosts == 1 && vias >= 1 && real == 1, "a field that is ours is missing or doubled");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static World world;
    static const Client stranger{*SocketAddress::from_ip("192.0.2.1", 1), "192.0.2.1", "http",
                                 "plain", false};
    static const Client trusted{*SocketAddress::from_ip("10.0.0.1", 1), "10.0.0.1", "http", "plain",
                                true};
    std::string_view input = as_text(data, size);
    Exchange x(world.worker);
    x.client = (take_byte(input) & 1) != 0 ? &trusted : &stranger;
    x.snapshot = world.worker.snapshot_ref();
    std::size_t scanned = 0;
    const auto parsed = http1::parse_request_head(input, head_limits, scanned, x.request);
    if (parsed.status != http1::ParseResult::Status::complete) return 0;
    identify(x);
    const std::string out = forwarded(x);
    if (!out.empty()) require_clean(out, x);
    return 0;
}
