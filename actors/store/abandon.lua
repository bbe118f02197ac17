-- Forget a job that nobody was promised: its upload broke off, or it could not be enqueued.
-- Behind `backlog.lua`.
-- KEYS: job, upload, segments, audio, outcomes, transcript, spool, backlog short, backlog long, running, queued,
--       index, the caller's index, active, named
-- ARGV: id, prefix of its results, events, caller
local job, upload, segments, audio, outcomes, transcript, spool, short, long = unpack(KEYS, 1, 9)
local running, queued, index, own_index, active, named = unpack(KEYS, 10)
local id, results, events, caller = unpack(ARGV)
for _, number in ipairs(redis.call("HKEYS", segments)) do
    redis.call("UNLINK", results .. number)
end
redis.call("UNLINK", job, upload, segments, audio, outcomes, transcript)
if redis.call("GET", named) == id then
    redis.call("DEL", named)
end
local kept = tonumber(redis.call("HGET", spool, id) or "0")
redis.call("HDEL", spool, id)
take_off(spool, "total", kept)
set_backlog(short, long, id, short, 0)
for _, set in ipairs({ running, queued, own_index }) do
    redis.call("ZREM", set, id)
end
redis.call("ZREM", index, caller .. ":" .. id)
redis.call("SREM", active, id)
redis.call("PUBLISH", events, cjson.encode({ job = id, state = "cancelled" }))
