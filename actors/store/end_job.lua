-- End a job, once: keep its transcript or error, drop its audio and results, tell who waits.
-- Behind `backlog.lua`.
-- KEYS: job, upload, segments, audio, outcomes, transcript, spool, running, queued, stats, backlog short,
--       backlog long, callbacks
-- ARGV: id, state, error, error_status, transcript, now_ms, ttl_s, events, prefix of its results,
--       prefix of idempotency keys, prefix of the callers' active jobs
-- Returns 1, or 2 when whoever handed it in is to be told, or 0 when it had ended before or is gone.
local job, upload, segments, audio, outcomes, transcript, spool, running, queued, stats, short, long, callbacks = unpack(KEYS)
local id, state, error, error_status, text, now_ms, ttl, events, results, named, active = unpack(ARGV)
local before = redis.call("HGET", job, "state")
if before ~= "queued" and before ~= "running" then
    return 0
end
redis.call("HSET", job, "state", state, "ended_ms", now_ms, "progress_ms", now_ms)
if error ~= "" then
    redis.call("HSET", job, "error", error, "error_status", error_status)
end
if text ~= "" then
    redis.call("SET", transcript, text, "EX", ttl)
end
for _, index in ipairs(redis.call("HKEYS", segments)) do
    redis.call("UNLINK", results .. index)
end
redis.call("UNLINK", upload, segments, audio, outcomes)
local kept = tonumber(redis.call("HGET", spool, id) or "0")
redis.call("HDEL", spool, id)
take_off(spool, "total", kept)
set_backlog(short, long, id, short, 0)
redis.call("ZREM", running, id)
redis.call("ZREM", queued, id)
redis.call("EXPIRE", job, ttl)
redis.call("SREM", active .. (redis.call("HGET", job, "caller") or ""), id)
local key = redis.call("HGET", job, "key")
if key then
    redis.call("EXPIRE", named .. key, ttl)
end
redis.call("HINCRBY", stats, "jobs:" .. state, 1)
redis.call("PUBLISH", events, cjson.encode({ job = id, state = state }))
if redis.call("HEXISTS", job, "callback") == 1 then
    -- As Redis tells the time: all who look at it must agree.
    local time = redis.call("TIME")
    redis.call("ZADD", callbacks, time[1] * 1000 + math.floor(time[2] / 1000), id)
    return 2
end
return 1
