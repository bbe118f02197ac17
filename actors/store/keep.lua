-- Keep a job that has been enqueued, and let it stand in line if no segmenter has taken it meanwhile.
-- KEYS: job, upload, queued   ARGV: id, now_ms, ttl_s
local job, upload, queued = unpack(KEYS)
local id, now_ms, ttl = unpack(ARGV)
local state = redis.call("HGET", job, "state")
if state ~= "queued" and state ~= "running" then
    return
end
redis.call("EXPIRE", job, ttl)
redis.call("EXPIRE", upload, ttl)
if state == "queued" then
    redis.call("ZADD", queued, now_ms, id)
end
