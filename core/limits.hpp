// Every default and every ceiling of the program, in one place, so that "a bound on everything" can
// be audited. Configuration may choose within [min, max]; what has no key is fixed here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace scrollgate::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;
/// `none` for a count or a size.
inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// -- messages (keys under `limits:`)
inline constexpr std::size_t header_bytes = 32 * KiB;
inline constexpr std::size_t header_bytes_max = 256 * KiB;
inline constexpr std::size_t headers = 100;
inline constexpr std::size_t headers_max = 1000;
inline constexpr std::size_t uri_bytes = 8 * KiB;
inline constexpr std::size_t uri_bytes_max = 128 * KiB;

// -- messages (fixed)
inline constexpr std::size_t chunk_line = 256;             ///< size line with its extensions
inline constexpr std::uint64_t chunk_overhead = 16 * KiB;  ///< extension bytes in one whole body
inline constexpr std::size_t trailer_bytes = 8 * KiB;
inline constexpr std::size_t trailers = 32;
inline constexpr unsigned interim_responses = 8;  ///< 1xx before one final response
inline constexpr unsigned via_hops = 8;
inline constexpr std::size_t request_id = 128;  ///< longest X-Request-Id that is kept

// -- buffers (per worker)
inline constexpr std::size_t buffer_small = 16 * KiB;  ///< heads and small bodies
inline constexpr std::size_t buffer_bulk = 256 * KiB;  ///< long bodies
static_assert(header_bytes_max <= buffer_bulk, "any allowed head fits the largest buffer");
inline constexpr std::size_t small_buffers = 64 * 1024;  ///< 1 GiB of address space
inline constexpr std::size_t bulk_buffers = 1024;        ///< 256 MiB
inline constexpr std::size_t small_buffers_kept = 1024;  ///< free ones that stay resident
inline constexpr std::size_t bulk_buffers_kept = 8;
inline constexpr std::size_t buffer_spare = 4 * KiB;  ///< for what many share, if no other is free
inline constexpr std::size_t spare_buffers = 16 * 1024;  ///< 64 MiB
inline constexpr std::size_t spare_buffers_kept = 16;
inline constexpr std::size_t block_buffers = 4096;  ///< of cache_block, for stored bodies: 256 MiB
inline constexpr std::size_t block_buffers_kept = 16;
inline constexpr std::size_t pipe_size = 1 * MiB;         ///< of one for splice(2)
inline constexpr std::size_t pipe_size_least = 64 * KiB;  ///< a smaller one is worse than a copy
inline constexpr std::size_t pipes = 32;                  ///< two descriptors each
inline constexpr std::size_t pipes_kept = 4;

// -- timeouts (keys under `timeouts:`)
inline constexpr auto client_header = 10s;
inline constexpr auto client_idle = 75s;
inline constexpr auto client_body = 30s;
inline constexpr auto client_write = 60s;
inline constexpr auto connect = 1s;
inline constexpr auto upstream_response = 30s;
inline constexpr auto upstream_body = 60s;
inline constexpr auto upstream_idle = 30s;
inline constexpr auto tunnel_idle = 1h;
inline constexpr auto drain_delay = 0s;
inline constexpr auto drain = 30s;

// -- connections
inline constexpr auto buffer_return = 1s;  ///< an idle connection keeps its buffer this long
inline constexpr auto reuse_unsafe = 1s;   ///< idle for longer: replayable requests only
inline constexpr auto continue_wait = 1s;  ///< for an origin's 100 before we say it
inline constexpr auto loop_turn = 10ms;    ///< an event older than this has been seen
inline constexpr auto seal_wait = 1s;      ///< for handshakes under way on a closing listener
inline constexpr auto linger = 2s;         ///< reading on behind our last byte
inline constexpr std::size_t linger_bytes = 1 * MiB;
inline constexpr std::size_t exchanges_kept = 1024;   ///< free ones that stay, per worker and kind
inline constexpr unsigned inline_chunks = 64;         ///< chunks relayed before others get a turn
inline constexpr std::size_t inline_bytes = 1 * MiB;  ///< the same of those that are spliced
inline constexpr unsigned inline_exchanges = 16;  ///< pipelined requests before others get a turn
inline constexpr std::size_t idle_per_endpoint = 1024;  ///< idle upstream connections, per worker
inline constexpr std::uint64_t pending = 1024;  ///< requests that wait for a connection, per pool
inline constexpr auto pending_wait = 1s;        ///< longest wait for room in a full pool
inline constexpr auto pending_look = 10ms;      ///< a waiting request looks again after this
inline constexpr unsigned max_attempts = 3;
inline constexpr unsigned max_attempts_max = 10;
inline constexpr unsigned turned_away_most = 64;  ///< refused connects of one request

// -- failover (keys under `failover:`, then fixed ones)
inline constexpr double retry_budget = 0.2;        ///< retries per request
inline constexpr double retry_budget_floor = 10;   ///< retries per second that are always there
inline constexpr double retry_budget_burst = 100;  ///< most that can be saved up
inline constexpr std::uint64_t replay = 64 * KiB;  ///< of one request body
inline constexpr std::uint64_t replay_max = 16 * MiB;
inline constexpr std::size_t replay_memory = 64 * MiB;  ///< of all kept bodies, per worker
inline constexpr auto connect_race = 50ms;
inline constexpr unsigned race_samples = 20;    ///< connects to an endpoint that teach its race
inline constexpr auto race_least = 10ms;        ///< a learned race begins no earlier…
inline constexpr auto race_most = 1s;           ///< …and no later (nor than half of `connect`)
inline constexpr unsigned hedge_samples = 100;  ///< of a route before its first hedge
inline constexpr double hedge_share = 0.02;     ///< hedges per request in calm
inline constexpr double hedge_burst = 10;       ///< most hedges that can be saved up
inline constexpr auto hedge_look = 100ms;       ///< what is usual is found out this often
inline constexpr auto hedge_again = 10ms;       ///< a hedge that was not allowed asks again
inline constexpr auto hedge_patience = 5s;      ///< for so long
inline constexpr auto overdue_least = 30ms;     ///< no answer is overdue before
inline constexpr auto typical_guess = 250ms;    ///< most that few answers let one take for typical
inline constexpr auto stall_longest = 250ms;    ///< who is silent for longer does not merely pause

// -- balancing (fixed)
inline constexpr double spill_factor = 1.4;   ///< a level takes this much more than its health says
inline constexpr double least_score = 1e-3;   ///< what is in service is never quite without weight
inline constexpr auto latency_grain = 500us;  ///< latencies that differ by less are about the same
inline constexpr double near_tie = 0.1;       ///< costs that differ by less: the nearer wins
inline constexpr double load_bound = 1.25;    ///< of the mean in flight, under consistent_hash
inline constexpr unsigned load_free =
    4;  ///< this many in flight are no overload, whatever the mean
inline constexpr std::uint64_t silent_tries = 16;  ///< of so many, one goes to who is silent
inline constexpr std::uint64_t error_tries = 8;    ///< of so many, one asks beyond a failing subset
inline constexpr float home_success_part = 0.5F;   ///< of less, clients and keys leave their home
inline constexpr std::size_t full_scan = 32;       ///< policies compare all up to here, then four
inline constexpr std::size_t hash_slots = 100;  ///< wanted per endpoint in a consistent_hash table
inline constexpr unsigned hash_probes = 64;     ///< places of a key that are looked at

// -- names (keys under `dns:`)
inline constexpr auto dns_min_ttl = 5s;
inline constexpr auto dns_max_ttl = 5min;
inline constexpr auto dns_other_family = 1s;  ///< the other kind of addresses is waited for
inline constexpr auto dns_retry_max = 60s;    ///< longest pause between tries of a name that fails
inline constexpr std::size_t dns_told_most = 8;  ///< names in flight, in those asked at once
inline constexpr auto shrink_hold = 60s;  ///< a set that lost over half waits for this, or checks
inline constexpr auto shrink_look = 1s;   ///< checks are looked at this often meanwhile

// -- health (keys of a pool, then fixed ones)
inline constexpr auto check_interval = 2s;
inline constexpr auto check_interval_min = 20ms;
inline constexpr auto check_timeout = 1s;
inline constexpr unsigned check_patience = 10;  ///< a timeout of more intervals is worth a warning
inline constexpr auto check_starved_said =
    10s;  ///< that we ran out of something is logged so often
inline constexpr unsigned healthy_after = 2;
inline constexpr unsigned unhealthy_after = 2;
inline constexpr std::size_t check_body = 64 * KiB;  ///< of an answer's body looked at
inline constexpr unsigned outlier_consecutive = 3;
inline constexpr double outlier_max_ejected = 0.5;
inline constexpr auto outlier_ejection = 5s;
inline constexpr auto outlier_ejection_max = 5min;
inline constexpr int silent_ejection_most = 6;  ///< for silence, in base times
inline constexpr auto slow_start = 10s;
inline constexpr unsigned refused_at_once = 2;     ///< refusals in a row that eject
inline constexpr unsigned unanswered_at_once = 3;  ///< attempts in a row without an answer
/// Requests in a row that a connection did not take, if there are more at a later look: a server
/// may do that to all that are under way when it shuts down, or is at its limits for a moment.
inline constexpr unsigned turned_back_in_a_row = 10;
inline constexpr auto latency_decay = 1s;        ///< memory of an endpoint's average latency
inline constexpr auto latency_window = 10s;      ///< percentiles are of one to two of these
inline constexpr auto health_look = 100ms;       ///< scores are made anew this often
inline constexpr auto health_look_again = 10ms;  ///< while a suspicion waits for the others' word
inline constexpr auto health_rest = 2s;          ///< without traffic: nobody looks any more
inline constexpr auto health_publish = 1s;       ///< status is made anew at least this often
inline constexpr std::size_t check_head = 8 * KiB;  ///< of an answer to a check
inline constexpr double score_floor = 0.01;         ///< so that panic still has an order
inline constexpr double part_floor =
    0.02;  ///< a sick endpoint is tried with this much of its share
inline constexpr auto success_memory = 200ms;   ///< of an endpoint's rate of success…
inline constexpr double success_samples = 20;   ///< …but at least of this many attempts
inline constexpr auto evidence_memory = 30s;    ///< whatever nothing follows is forgotten
inline constexpr double success_slack = 0.02;   ///< worse than the best by this is no worse
inline constexpr double success_ejects = 0.75;  ///< of the best rate: below it, ejection
inline constexpr double errors_shared = 0.15;   ///< of the others' answers: no run tells then
inline constexpr double run_by_chance = 1e-5;   ///< a rarer run of 5xx is not shared by the others
inline constexpr double slow_own = 3;           ///< times slower than usual: sick
inline constexpr double slow_peers = 6;         ///< times slower than its pool: sick
inline constexpr auto latency_pad = 500us;  ///< added to both sides, so that noise is no sickness
inline constexpr double baseline_samples = 50;  ///< before what is usual is known
inline constexpr auto baseline_memory = 5min;   ///< of what is usual
inline constexpr auto baseline_stands = 10min;  ///< slow for so long, as its pool is: the new usual
inline constexpr auto latency_heals = 10s;      ///< without samples: usual again
inline constexpr double ramp_floor = 0.05;  ///< share of its share that a new endpoint begins with
inline constexpr double ramp_unproven = 0.2;      ///< most before the first answer since its return
inline constexpr auto departed_kept = 10min;      ///< what is known of an address that left
inline constexpr std::size_t departed_most = 64;  ///< of one pool
inline constexpr auto return_ramp = 3s;           ///< from an ejection back to the whole share
inline constexpr double dependency_part = 0.1;    ///< preference of a pool that misses something
inline constexpr auto dependency_names =
    60s;  ///< addresses of dependencies and webhooks are kept so long
inline constexpr auto webhook_timeout = 5s;
inline constexpr unsigned webhook_tries = 5;  ///< before the log says that nobody hears
inline constexpr auto webhook_retry = 1s;     ///< first; doubles
inline constexpr auto webhook_retry_max = 10min;
inline constexpr unsigned webhook_tries_most = 150;  ///< then, after about a day, it is given up
inline constexpr auto webhook_names = 60s;  ///< so long a pool's names may take to be there
inline constexpr auto scale_look = 1s;      ///< utilisation is sampled this often
inline constexpr auto scale_forecast = 30s;
inline constexpr auto scale_shrink_after = 5min;
inline constexpr double scale_headroom = 1.25;  ///< of what was needed, where `auto` gives back
inline constexpr std::uint32_t scale_most = 10'000;

// -- cache (keys under `cache:`, then fixed ones)
inline constexpr std::uint64_t cache_memory = 512 * MiB;
inline constexpr std::uint64_t cache_memory_min = 1 * MiB;
inline constexpr std::uint64_t cache_object = 8 * MiB;
inline constexpr std::uint64_t cache_object_max = 1024 * MiB;
/// Of the longest bodies that are stored, memory has room for so many: on its way into the cache
/// one is there twice, and half is left for what is stored.
inline constexpr std::uint64_t cache_objects_least = 4;
inline constexpr auto stale_if_error = 5min;
inline constexpr double warm_rate = 100;  ///< fetches per second
inline constexpr auto warm_deadline = 30s;
inline constexpr std::uint32_t hottest = 1000;
inline constexpr std::uint32_t hottest_max = 100'000;
inline constexpr std::size_t warm_sets = 100;
inline constexpr std::size_t warm_jobs = 32;  ///< of the API, under way; also finished ones kept
inline constexpr std::size_t warm_urls = 1'000'000;  ///< of one job or file
inline constexpr std::size_t warm_in_flight = 64;    ///< fetches under way, of all jobs
inline constexpr auto warm_burst = 100ms;         ///< a job that was held up makes up for so much
inline constexpr std::size_t warm_troubles = 20;  ///< told of one job
inline constexpr auto warm_again = 30s;  ///< what could not be stored is fetched again after
inline constexpr auto warm_again_least = 500ms;       ///< and nothing earlier than after
inline constexpr auto warm_start_again = 1s;          ///< the same while the start waits for it
inline constexpr auto warm_look = 1min;               ///< whether what is stored is still there
inline constexpr std::size_t hottest_counted = 8192;  ///< keys whose uses are counted
inline constexpr auto hottest_interval = 1min;        ///< its file is written anew
inline constexpr double hottest_rate = 500;           ///< fetches per second from it, at start
inline constexpr auto sweep_rest = 10ms;  ///< between looks at a purge that is not counted yet
inline constexpr std::size_t sweep_slice = 2000;  ///< entries looked at in one turn after a purge
inline constexpr std::size_t cache_block = 64 * KiB;  ///< of a body; each is compressed by itself
inline constexpr std::size_t cache_head = 32 * KiB;   ///< most field bytes of a stored response
inline constexpr std::size_t cache_key = 16 * KiB;    ///< longest key
inline constexpr std::size_t cache_vary = 8;          ///< most names in Vary of what is stored
inline constexpr std::size_t cache_variants = 64;     ///< of one key
inline constexpr std::size_t cache_tags = 255;  ///< of one response; an entry counts them in a byte
inline constexpr std::size_t cache_tag_bytes = 1024;       ///< longest tag
inline constexpr std::uint32_t cache_ttl_most = 1U << 31;  ///< seconds (RFC 9111 section 1.2.2)
inline constexpr auto cache_heuristic_most = 86'400s;      ///< longest lifetime that is an estimate
inline constexpr auto early_pace = 200ms;  ///< least delta of an early refresh (e^-10 at 50/s)
inline constexpr auto hit_for_miss = 10s;  ///< what cannot be shared is not collapsed for so long
inline constexpr std::size_t fill_window = 1 * MiB;     ///< a fill runs ahead of its readers by
inline constexpr std::size_t cache_ranges = 16;         ///< of one request
inline constexpr std::size_t purge_rules = 64 * 1024;   ///< under way at a time
inline constexpr std::uint64_t purge_bytes = 48 * MiB;  ///< for those, with their texts
inline constexpr std::size_t cache_inside = 4 * KiB;    ///< a body of up to this is in its entry
inline constexpr std::size_t cache_compressed = 64;     ///< smaller bodies stay raw
inline constexpr std::size_t cache_fields = 65'535;     ///< bytes of an entry's head, tags, or Vary
inline constexpr auto cache_kept = 1h;  ///< stale, and of use only for validation, for so long
inline constexpr std::size_t cache_shards = 64;            ///< of the store: a lock each
inline constexpr std::size_t dictionary = 16 * KiB;        ///< of a partition, for small bodies
inline constexpr std::size_t dictionary_object = 8 * KiB;  ///< bodies that are small
inline constexpr std::size_t dictionaries = 4;             ///< of a partition in use at a time
inline constexpr std::size_t purges_told = 4096;           ///< counts of past purges that are kept
inline constexpr std::size_t ratio_samples = 2048;  ///< keys that the hit rate is guessed from

// -- fills of the cache (fixed)
inline constexpr std::size_t fill_flow = 256 * KiB;  ///< kept by one that nobody may join any more
inline constexpr auto fill_patience = 5s;            ///< it waits so long for its slowest readers
inline constexpr std::size_t fill_first = 16 * KiB;  ///< first segment, if the length is not known
inline constexpr std::size_t fills = 16 * 1024;      ///< under way at a time
inline constexpr unsigned fill_rounds = 4;  ///< others' fills that one request waits for in vain
inline constexpr std::size_t fills_of_key = 16;  ///< of one key: variants, and after purges

// -- Redis (keys under `cache.redis:`, then fixed ones)
inline constexpr auto redis_timeout = 3ms;  ///< of one command
inline constexpr auto redis_timeout_max = 10s;
inline constexpr std::uint64_t redis_object = 256 * KiB;
inline constexpr std::uint64_t redis_object_max = 8 * MiB;
inline constexpr std::uint64_t redis_queue_commands = 4096;  ///< under way per worker
inline constexpr std::uint64_t redis_queue_bytes = 16 * MiB;
inline constexpr std::size_t redis_urls = 16;             ///< in purge_log
inline constexpr std::size_t redis_seeds = 64;            ///< nodes that are configured
inline constexpr std::size_t redis_nodes = 512;           ///< of a cluster
inline constexpr std::size_t redis_reply = 16 * MiB;      ///< longest reply…
inline constexpr std::size_t redis_elements = 256 * KiB;  ///< …and most elements in one
inline constexpr std::size_t redis_writes = 64;           ///< commands in one system call
inline constexpr unsigned redis_missed = 5;   ///< deadlines in a row that open the breaker
inline constexpr auto redis_silence = 500ms;  ///< without any answer that do so
inline constexpr auto redis_connect = 1s;     ///< from the connect to the first answer
inline constexpr auto redis_pause = 100ms;    ///< before the next probe; doubles
inline constexpr auto redis_pause_max = 5s;
inline constexpr auto redis_at_once = 20ms;         ///< most before the first one after a loss
inline constexpr auto redis_proven = 10s;           ///< up for so long: the pause is short again
inline constexpr unsigned redis_redirects = 3;      ///< of one command
inline constexpr auto redis_refresh = 60s;          ///< a cluster's slots are asked for this often
inline constexpr auto redis_refresh_least = 200ms;  ///< and no more often
inline constexpr auto redis_refresh_missing = 1s;   ///< nor than this, for a node that is away
inline constexpr auto redis_ping = 5s;              ///< a subscription looks whether it is alive
inline constexpr std::size_t redis_password = 64 * KiB;  ///< longest password file

// -- the tier in Redis (fixed)
inline constexpr std::size_t tier_log = 16 * 1024;        ///< purges that its log keeps, about
inline constexpr std::size_t tier_positions = 16 * 1024;  ///< of them that a node can compare with
inline constexpr std::size_t tier_batch = 512;            ///< records of the log in one reading
inline constexpr auto tier_block = 500ms;                 ///< a reading waits so long for news…
inline constexpr auto tier_in_step = 1500ms;        ///< …and without an answer counts as away
inline constexpr auto tier_beat = 2s;               ///< a node says so often that it lives
inline constexpr auto tier_gone = 5s;               ///< silent for so long: it does not
inline constexpr std::size_t tier_node_log = 4096;  ///< of what nodes say of themselves, about
inline constexpr std::size_t tier_nodes = 1024;     ///< that are known at a time
inline constexpr std::size_t tier_node_name = 256;  ///< longest name of a node
inline constexpr auto tier_confirm = 1s;  ///< a purge waits so long for nodes to make it…
inline constexpr auto tier_count = 10s;   ///< …and for their sweeps, which count what it covers
inline constexpr std::size_t tier_covered = 64;       ///< counts in one record, or kept of one node
inline constexpr std::size_t tier_unsaid = 4096;      ///< purges that wait to be said
inline constexpr auto tier_said = 10min;              ///< said again if the log was lost, so long
inline constexpr auto tier_ask = 2s;                  ///< for one command about the log
inline constexpr auto tier_skew = 2s;                 ///< a response from the future, at most
inline constexpr std::size_t tier_dictionaries = 32;  ///< of others that are kept
inline constexpr auto tier_variants = 60s;            ///< what a key varies by is kept, at least
inline constexpr auto tier_dictionary = 48h;          ///< one stays in Redis for so long…
inline constexpr auto tier_dictionary_again = 1h;     ///< …is said again before it is used…
inline constexpr auto tier_dictionary_doubt = 10s;    ///< …and while it is: Redis may lose it
inline constexpr auto tier_with_dictionary = 24h;     ///< longest life of what needs one
inline constexpr auto tier_lease = 5s;                ///< to ask the origin for a key…
inline constexpr auto tier_wait = 500ms;              ///< …for which others wait so long
inline constexpr auto tier_look = 10ms;               ///< and look again after
inline constexpr auto tier_look_told = 100ms;         ///< or after this, where they are told
inline constexpr std::size_t tier_waiters = 4096;     ///< of a process, who are told
inline constexpr std::size_t tier_tags = 16;          ///< of a response that reclaiming knows
inline constexpr std::size_t tier_tagged = 100'000;   ///< responses of one tag that it knows
inline constexpr unsigned tier_reclaims = 4;          ///< tags whose responses go, at a time…
inline constexpr std::size_t tier_reclaims_wait = 1024;  ///< …while so many wait
inline constexpr std::size_t tier_slice = 50;  ///< looked at in one go; Redis: a millisecond
inline constexpr unsigned tier_reclaim_troubles = 10;  ///< in a row, until it is given up…
inline constexpr auto tier_reclaim_patience = 10s;     ///< …as it is when Redis is away so long

// -- HTTP/2 (fixed)
inline constexpr std::uint32_t http2_streams = 100;  ///< open at a time on one connection
inline constexpr std::uint32_t http2_stream_window = 256 * KiB;
inline constexpr std::uint32_t http2_connection_window = 1 * MiB;
inline constexpr std::size_t http2_answers = 1000;   ///< to SETTINGS and PING, waiting to be sent
inline constexpr unsigned http2_continuations = 64;  ///< CONTINUATION frames of one field section
inline constexpr std::uint32_t http2_upload_window = 64 * KiB;  ///< of a client's stream
inline constexpr std::uint32_t http2_section_most = 4;  ///< times header_bytes: read no further
inline constexpr std::size_t http2_leaving = 100;  ///< exchanges whose streams are gone already
inline constexpr double http2_noise = 1000;        ///< frames of a client that carry nothing…
inline constexpr double http2_noise_rate = 200;    ///< …and how many per second it gains
inline constexpr double http2_noise_earned = 4;    ///< …and for each frame that carries something
inline constexpr double http2_resets = 200;        ///< streams that a client breaks off, or we…
inline constexpr double http2_reset_rate = 100;    ///< …for what it did, and per second
inline constexpr double http2_refused = 0.4;       ///< what a stream beyond http2_streams counts
inline constexpr double http2_late_reset = 0.1;    ///< what one counts whose answer has begun
inline constexpr std::uint32_t http2_upstream_window = 16 * MiB;  ///< of a connection, all streams
inline constexpr auto http2_silence = 5s;          ///< of an origin that streams wait for: PING…
inline constexpr auto http2_ping_wait = 5s;        ///< …which is to be answered within
inline constexpr auto http2_silence_again = 5min;  ///< …and not again in the same silence before,
inline constexpr auto http2_ping_again = 10s;      ///< …or this, if streams were opened since,
inline constexpr unsigned http2_pings = 3;         ///< …while there were fewer PINGs than this
inline constexpr auto http2_client_ping_wait = 20s;   ///< for clients with calls under way
inline constexpr std::size_t http2_write = 64 * KiB;  ///< most that leaves in one write

// -- TLS and the PROXY protocol
inline constexpr std::size_t tls_file = 1 * MiB;      ///< of certificates, keys, tickets, OCSP
inline constexpr long certificate_days = 14;          ///< fewer are worth a warning
inline constexpr auto handshake = 10s;                ///< key timeouts.handshake
inline constexpr std::size_t handshakes = 1024;       ///< under way at a time, per worker
inline constexpr int tls_messages = 16;               ///< of TLS's own at once, and one more…
inline constexpr auto tls_message_every = 1s;         ///< …each, on one connection
inline constexpr auto ticket_rotation = 12h;          ///< of keys that this process makes
inline constexpr auto certificate_look = 2s;          ///< files are looked at this often
inline constexpr std::size_t proxy_header = 2 * KiB;  ///< longest PROXY header, TLVs included

// -- process
inline constexpr std::uint32_t frequency = 528;  ///< Hz of the timer wheel
inline constexpr std::uint32_t frequency_min = 10;
inline constexpr std::uint32_t frequency_max = 10'000;
inline constexpr unsigned workers_max = 256;
inline constexpr std::size_t log_ring = 1 * MiB;         ///< access log bytes waiting, per worker
inline constexpr std::size_t reserved_descriptors = 64;  ///< kept for files, admin, DNS
inline constexpr std::size_t config_bytes = 16 * MiB;    ///< longest configuration file
inline constexpr std::size_t admin_body = 16 * MiB;      ///< longest request body of the admin API
inline constexpr std::size_t admin_command = 16 * KiB;   ///< longest body of a command to pools
inline constexpr std::size_t admin_connections = 64;
inline constexpr std::size_t metrics_endpoints = 2000;  ///< with series of their own on /metrics

}  // namespace scrollgate::limits
