-- What load.py needs of wrk: bodies, many keys, and the result as one line of JSON.
-- Arguments: keys=N (for {n} in the path), body=FILE

local function key(number)
    return (wrk.path:gsub("{n}", number))
end

function init(arguments)
    local keys = 1
    for _, argument in ipairs(arguments) do
        local name, value = argument:match("^(%w+)=(.*)$")
        if name == "keys" then keys = tonumber(value) end
        if name == "body" then
            local file = assert(io.open(value, "rb"))
            wrk.method, wrk.body = "POST", file:read("*a")
            file:close()
        end
    end
    if keys == 1 then
        wrk.path = key(0)
        return      -- Without a request() of ours wrk repeats the same bytes, which costs it less.
    end
    local requests = {}
    for number = 1, keys do
        requests[number] = wrk.format(nil, key(number - 1))
    end
    function request()
        return requests[math.random(keys)]
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nJSON {"requests": %d, "bytes": %d, "seconds": %.6f, "failed": %d, ' ..
        '"p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f}\n',
        summary.requests, summary.bytes, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
