"""What is measured: each scenario is one row of data. measure.py knows how a kind is done."""

from dataclasses import dataclass

MIB = 1024 * 1024

# With Host, 16 fields and about 700 bytes: what a browser sends.
REAL_FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Referer: https://market.example/collections/scrolls?page=4&sort=price",
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1; ab=7; "
    "seen=1205,1206,1311,1312,1400",
    "Authorization: Bearer 6f1ed002ab5595859014ebf0951522d9",
    "Origin: https://market.example",
    "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors", "Sec-Fetch-Site: same-site",
    "Cache-Control: no-cache", "Pragma: no-cache", "DNT: 1", "Priority: u=4",
)
# The same without what asks a cache to stand aside, and as long.
CACHEABLE_FIELDS = tuple(
    {"Authorization": "X-Client-Build: market-web 2026.10.3 (8f14e45fceea167a5a36)",
     "Cache-Control": "Sec-GPC: 1", "Pragma": "Upgrade-Insecure-Requests: 1"}.get(
         field.split(":")[0], field) for field in REAL_FIELDS)


@dataclass(frozen=True)
class Scenario:
    """`{n}` in `path` stands for a number below `keys`. `flags` choose what the configurations
    turn on (configs/README), and so what a subject must be able to do."""

    name: str
    title: str
    # closed | handshakes | http2 | idle | latency | failover | generator | clouds | calm |
    # balance | half | metadata | simultaneous | purge | conformance; with a Redis: tier | trouble |
    # cold | restart | edge_lost | fleet_purge | far_purge
    kind: str = "closed"
    path: str = "/small"
    fields: tuple = ()
    flags: frozenset = frozenset()
    unit: str = "request"       # what CPU time and rate are counted in: request | MiB | handshake
    upload: int = 0             # bytes of body that are sent
    connections: int = 64
    streams: int = 1            # HTTP/2: requests at a time on each connection
    keys: int = 1
    fill: bool = False          # all keys are asked for before: then the origin hears nothing
    # What happens to an origin in a failover: kill | freeze; to a cloud: cloud_world.BREAKAGES
    fatal: str = "kill"
    delay_ms: int = 0           # that the origin of metadata takes; from cloud to cloud and back
    victims: int = 2            # clouds: how many of the two endpoints of a cloud it happens to


def _hit(name, title, path, keys, fields=(), kind="closed", flags=(), **more):
    return Scenario(name, title, kind, path, fields, frozenset({"cache", *flags}), keys=keys,
                    fill=True, **more)


def _handshake(name, title, *flags):
    """The proxy answers by itself, so that there is little but the handshake."""
    return Scenario("handshake-" + name, title + ", 16 connections", "handshakes",
                    fields=("Connection: close",), flags=frozenset({"tls", "own", *flags}),
                    unit="handshake", connections=16)


def _metadata(delay_ms):
    return Scenario(f"metadata-{delay_ms}ms", f"metadata of 100,000 tokens by Zipf's law through "
                    f"an origin of {delay_ms} ms: no cache, a cold one, a warm one", "metadata",
                    flags=frozenset({"cache"}), delay_ms=delay_ms)


def _far(delay_ms):
    return Scenario(f"fleet-far-{delay_ms}ms", f"a purge by URL crosses three clouds, each with a "
                    f"Redis of its own, {delay_ms} ms there and back", "far_purge",
                    delay_ms=delay_ms)


def _cloud(name, title, fatal, victims=2, flags=()):
    return Scenario("clouds-" + name, title, "clouds", flags=frozenset({"clouds", *flags}),
                    fatal=fatal, victims=victims)


ALL = [
    Scenario("pass-small", "a tiny request, 1 KiB back"),
    Scenario("pass-real", "700 bytes and 16 fields, 1 KiB and 12 fields back", path="/real",
             fields=REAL_FIELDS),
    Scenario("pass-log", "pass-real with an access log in a file", path="/real",
             fields=REAL_FIELDS, flags=frozenset({"log"})),
    Scenario("body-1m", "1 MiB back", path="/1m", unit="MiB"),
    Scenario("body-64m", "64 MiB back, 8 connections", path="/64m", unit="MiB", connections=8),
    Scenario("upload-1m", "POST of 1 MiB", path="/upload", unit="MiB", upload=MIB),
    _hit("hit-1k", "cache hits, 1 KiB, one key", "/hit/1k/{n}", 1),
    _hit("hit-1k-10000", "cache hits, 1 KiB, 10,000 keys", "/hit/1k/{n}", 10_000),
    _hit("hit-16k", "cache hits, 16 KiB, one key", "/hit/16k/{n}", 1),
    _hit("hit-16k-10000", "cache hits, 16 KiB, 10,000 keys", "/hit/16k/{n}", 10_000),
    _hit("hit-two-workers", "cache hits, 1 KiB, 10,000 keys, two workers, the load on their cores",
         "/hit/1k/{n}", 10_000, flags=("two",)),
    _hit("hit-half", "cache hits, 1 KiB, 10,000 keys, at half of the most requests/s of each",
         "/hit/1k/{n}", 10_000, kind="half"),
    _hit("hit-real", "cache hits, 700 bytes and 16 fields, 1 KiB and 12 fields back",
         "/hit/real/{n}", 1, CACHEABLE_FIELDS),
    Scenario("tls-pass", "pass-small over TLS 1.3, connections kept", flags=frozenset({"tls"})),
    _hit("tls-hit", "hit-1k over TLS 1.3, connections kept", "/hit/1k/{n}", 1, flags=("tls",)),
    _handshake("p256", "a full handshake of TLS 1.3 with a P-256 key for every request"),
    _handshake("rsa", "the same with an RSA key of 2048 bits", "rsa"),
    _handshake("resumed", "the same, going on from a session", "resume"),
    Scenario("h2c-pass", "pass-small over HTTP/2 in the clear, 16 connections x 32 streams",
             "http2", flags=frozenset({"h2c"}), connections=16, streams=32),
    _hit("h2c-hit", "hit-1k over HTTP/2 in the clear, 16 connections x 32 streams", "/hit/1k/{n}",
         1, kind="http2", flags=("h2c",), connections=16, streams=32),
    Scenario("h2-pass", "pass-small over HTTP/2 and TLS, 16 connections x 32 streams", "http2",
             flags=frozenset({"tls", "h2"}), connections=16, streams=32),
    _hit("h2-hit", "hit-1k over HTTP/2 and TLS, 16 connections x 32 streams", "/hit/1k/{n}", 1,
         kind="http2", flags=("tls", "h2"), connections=16, streams=32),
    Scenario("idle", "memory per idle connection", "idle"),
    Scenario("idle-tls", "memory per idle connection over TLS 1.3", "idle",
             flags=frozenset({"tls", "resume"})),
    Scenario("latency", "latency added to a request that passes through", "latency"),
    Scenario("latency-miss", "latency added to a request that misses the cache", "latency",
             "/hit/1k/{n}", flags=frozenset({"cache"}), keys=100_000_000),
    _hit("latency-hit", "latency added (or taken away) by a cache hit", "/hit/1k/{n}", 1,
         kind="latency"),
    _metadata(5),
    _metadata(20),
    Scenario("stampede", "1,000 clients at once miss one key, two workers", "simultaneous",
             flags=frozenset({"cache", "collapse", "two"})),
    Scenario("purge-tag", "10,000 objects of one tag are purged, ten times, while others are hit "
             "5,000 times a second", "purge", flags=frozenset({"cache", "purge"})),
    Scenario("tier-latency", "new paths at 2,000 requests/s: found in memory, in Redis, or nowhere",
             "tier", flags=frozenset({"cache"})),
    Scenario("tier-throughput", "the same as fast as answers come", "tier",
             flags=frozenset({"cache"})),
    Scenario("tier-frozen", "misses at 500 requests/s, and the Redis is frozen or killed",
             "trouble"),
    Scenario("fleet-cold", "three empty nodes, 10,000 keys by Zipf's law, origin of 5 ms", "cold",
             flags=frozenset({"cache"})),
    Scenario("fleet-restart", "one of three is killed and started again, 4,000 requests/s by "
             "Zipf's law of 10,000 keys", "restart", flags=frozenset({"cache"})),
    Scenario("fleet-edge-lost", "one of three is killed under 600 requests/s, clients try the next",
             "edge_lost", flags=frozenset({"cache"})),
    Scenario("fleet-purge", "10,000 objects of one tag on three nodes are purged", "fleet_purge"),
    _far(80),
    _far(160),
    Scenario("cache-tests", "how many of http-cache-tests pass", "conformance",
             flags=frozenset({"cache", "conform"})),
    Scenario("failover-kill", "one of three origins is killed under load", "failover",
             flags=frozenset({"three"}), fatal="kill"),
    Scenario("failover-freeze", "one of three origins is frozen under load", "failover",
             flags=frozenset({"three"}), fatal="freeze"),
    Scenario("clouds-calm", "three clouds, and nothing breaks", "calm",
             flags=frozenset({"clouds"})),
    Scenario("clouds-balance", "policies at 70 % of what three clouds can do", "balance",
             flags=frozenset({"clouds"})),
    _cloud("control", "a drill in which nothing breaks: what the machine adds", "nothing"),
    _cloud("kill-one", "one endpoint of a cloud is killed", "kill", 1),
    _cloud("kill-cloud", "a whole cloud is killed", "kill"),
    _cloud("freeze-one", "one endpoint of a cloud is frozen", "freeze", 1),
    _cloud("freeze-cloud", "a whole cloud is frozen", "freeze"),
    _cloud("drop", "packets from and to a cloud vanish", "drop"),
    _cloud("errors", "a cloud answers half of its requests with 500", "errors",
           flags=("checks", "retry500")),
    _cloud("slow", "a cloud becomes 20 times slower", "slow", flags=("checks",)),
    _cloud("flap", "one endpoint is killed and started again every second", "flap", 1, ("checks",)),
    _cloud("return", "one endpoint is killed and comes back after a second", "return", 1,
           ("checks",)),
    _cloud("thaw", "a whole cloud is frozen for a second", "thaw", 2, ("checks",)),
    _cloud("heal", "packets from and to a cloud vanish for a second", "heal", 2, ("checks",)),
    Scenario("generator", "the load generators against nginx alone", "generator"),
]
BY_NAME = {scenario.name: scenario for scenario in ALL}


def chosen(words):
    """The scenarios that `words` name, in the order of the list; a word may be the part of names
    before a dash, or `cache` for all in which something is cached. None: all. Raises KeyError with
    the word that names nothing."""
    wanted = set()
    for word in words:
        found = {s.name for s in ALL if s.name == word} or {
            s.name for s in ALL if s.name.startswith(word + "-")} | {
            s.name for s in ALL if word == "cache" and "cache" in s.flags}
        if not found:
            raise KeyError(word)
        wanted |= found
    return [s for s in ALL if not words or s.name in wanted]
