-- A segmenter takes a job: queued becomes running; a running one is taken again after a crash. Behind `server.lua`.
-- KEYS: job, running, queued, upload   ARGV: id, now_ms, events, ttl_s
-- Returns the fields of the job and their values, the server, and the first chunk of its upload if that is still
-- kept; nil when the job is gone or has ended.
local job, running, queued, upload = unpack(KEYS)
local id, now_ms, events, ttl = unpack(ARGV)
local state = redis.call("HGET", job, "state")
if state then
    redis.call("EXPIRE", job, ttl)
end
if state == "queued" then
    redis.call("HSET", job, "state", "running", "started_ms", now_ms, "progress_ms", now_ms)
    redis.call("ZREM", queued, id)
    redis.call("ZADD", running, now_ms, id)
    redis.call("PUBLISH", events, cjson.encode({ job = id, state = "running" }))
elseif state ~= "running" then
    return nil
end
return { redis.call("HGETALL", job), server(), redis.call("HGET", upload, 0) }
