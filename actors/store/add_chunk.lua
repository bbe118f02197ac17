-- Store a chunk of an upload, for as long as its job waits to be enqueued.
-- KEYS: job, upload   ARGV: number, bytes, ttl_s
-- Returns 1, or 0 when the job is gone or has ended.
local job, upload = unpack(KEYS)
local number, bytes, ttl = unpack(ARGV)
if redis.call("HGET", job, "state") ~= "queued" then
    return 0
end
redis.call("HSET", upload, number, bytes)
redis.call("EXPIRE", job, ttl)
redis.call("EXPIRE", upload, ttl)
return 1
