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
    local requests = {}     -- made when they are drawn: there may be millions of keys
    function request()
        local number = math.random(keys)
        local made = requests[number]
        if not made then
            made = wrk.format(nil, key(number - 1))
            requests[number] = made
        end
        return made
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nJSON {"requests": %d, "bytes": %d, "seconds": %.6f, "failed": %d, ' ..
        '"p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f}\n',
        summary.requests - errors.status, summary.bytes, summary.duration / 1e6,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
