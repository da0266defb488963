-- wrk's result as one line of JSON, for load.py.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\nJSON {"requests": %d, "bytes": %d, "seconds": %.6f, "p50": %.1f, "p99": %.1f, ' ..
        '"failed": %d}\n',
        summary.requests, summary.bytes, summary.duration / 1e6,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
