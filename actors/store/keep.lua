-- Keep a job that has been enqueued, and let it stand in line if no segmenter has taken it meanwhile.
-- KEYS: job, upload, queued   ARGV: id, now_ms, ttl_s, events
-- Returns 1, or 0 when the job is gone.
local job, upload, queued = unpack(KEYS)
local id, now_ms, ttl, events = unpack(ARGV)
local state = redis.call("HGET", job, "state")
if not state then
    return 0
end
if state == "queued" then
    redis.call("ZADD", queued, now_ms, id)
    redis.call("PUBLISH", events, cjson.encode({ job = id, state = "queued" }))
end
if state == "queued" or state == "running" then
    redis.call("EXPIRE", job, ttl)
    redis.call("EXPIRE", upload, ttl)
end
return 1
