-- Forget a job that nobody was promised: its upload broke off, or it could not be enqueued.
-- KEYS: job, upload, segments, audio, outcomes, transcript, spool, running, queued, jobs, named
-- ARGV: id, prefix of its results, events
local job, upload, segments, audio, outcomes, transcript, spool, running, queued, jobs, named = unpack(KEYS)
local id, results, events = unpack(ARGV)
for _, index in ipairs(redis.call("HKEYS", segments)) do
    redis.call("UNLINK", results .. index)
end
redis.call("UNLINK", job, upload, segments, audio, outcomes, transcript)
if redis.call("GET", named) == id then
    redis.call("DEL", named)
end
local kept = tonumber(redis.call("HGET", spool, id) or "0")
redis.call("HDEL", spool, id)
redis.call("HINCRBY", spool, "total", -kept)
for _, set in ipairs({ running, queued, jobs }) do
    redis.call("ZREM", set, id)
end
redis.call("PUBLISH", events, cjson.encode({ job = id, state = "cancelled" }))
