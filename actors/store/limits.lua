-- Shared by the scripts that follow it: whether an upload may be taken in. Behind `backlog.lua`.
local MINUTE_MS = 60000

-- A speed that was measured for less says little: the first recordings find everything cold.
local MEASURED_MS = 10000

local function count_of(key)
    return tonumber(redis.call("GET", key) or "0")
end

-- The arguments that those scripts share, by name.
-- KEYS: spool, backlog short, backlog long, speed, active, rate, named (NOT_NAMED for a job without a key)
-- ARGV: upload_bytes, shortest_ms (the recording is no shorter), now_ms, spool_bytes, backlog_ms,
--       wait_ms (0 where nobody waits for the answer, or the wait is not limited), rate, jobs, prefix of a job's key
local function limit_arguments(keys, argv)
    local key, asked = {}, {}
    for n, name in ipairs({ "spool", "short", "long", "speed", "active", "rate", "named" }) do
        key[name] = keys[n]
    end
    for n, name in ipairs({ "bytes", "shortest_ms", "now_ms", "spool_bytes", "backlog_ms", "wait_ms", "rate", "jobs" }) do
        asked[name] = tonumber(argv[n])
    end
    asked.prefix = argv[9]
    return key, asked
end

-- The job that the idempotency key has named already, nil where there is none.
local function named_before(key, asked)
    local first = key.named ~= NOT_NAMED and redis.call("GET", key.named)
    return first and redis.call("EXISTS", asked.prefix .. first) == 1 and first or nil
end

-- What waits of the caller's job that waits for least, nil where it has not as many jobs as it may have.
local function least_active(key, asked)
    if redis.call("SCARD", key.active) < asked.jobs then
        return nil
    end
    local least
    for _, id in ipairs(redis.call("SMEMBERS", key.active)) do
        if redis.call("EXISTS", asked.prefix .. id) == 0 then
            redis.call("SREM", key.active, id)
        else
            least = math.min(least or math.huge, count(key.short, id) + count(key.long, id))
        end
    end
    return redis.call("SCARD", key.active) >= asked.jobs and least or nil
end

-- The first limit in the way of an upload and the milliseconds until it may have passed; nil where none is.
local function limit_in_the_way(key, asked)
    -- The generic cell rate algorithm: the key holds when an upload would be due at an even pace.
    local early_ms = asked.rate > 0 and count_of(key.rate) - asked.now_ms - MINUTE_MS + MINUTE_MS / asked.rate or 0
    if early_ms > 0 then
        return "rate", early_ms
    end
    local short_ms, long_ms = count(key.short, "total"), count(key.long, "total")
    local busy_ms = count(key.speed, "busy_ms")
    local speed = busy_ms > 0 and math.max(count(key.speed, "audio_ms") / busy_ms, 0.01) or 1
    local least_ms = asked.jobs > 0 and least_active(key, asked)
    if least_ms then
        return "jobs", least_ms / speed
    end
    -- Short recordings wait for no long ones.
    local waits_ms = asked.shortest_ms > LONG_MS and short_ms + long_ms or short_ms
    if waits_ms >= asked.backlog_ms then
        return "backlog", (waits_ms - asked.backlog_ms) / speed
    end
    if asked.wait_ms > 0 and asked.shortest_ms <= LONG_MS and busy_ms >= MEASURED_MS then
        local over_ms = short_ms / speed - asked.wait_ms
        if over_ms >= 0 then
            return "wait", over_ms
        end
    end
    local used = count(key.spool, "total")
    local over = used + asked.bytes - asked.spool_bytes
    if over > 0 then
        return "spool", (short_ms + long_ms) / speed * over / math.max(used, 1)
    end
    return nil
end
