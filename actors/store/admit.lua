-- Admit a job if the spool has room for its upload.
-- KEYS: job, spool   ARGV: id, upload_bytes, spool_limit_bytes, ttl_s, field, value, field, value, …
-- Returns 1, or 0 when the spool is full.
local job, spool = KEYS[1], KEYS[2]
local id, bytes, limit, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local used = tonumber(redis.call("HGET", spool, "total") or "0")
if used + bytes > limit then
    return 0
end
redis.call("HINCRBY", spool, "total", bytes)
redis.call("HINCRBY", spool, id, bytes)
redis.call("HSET", job, unpack(ARGV, 5))
redis.call("EXPIRE", job, ttl)
return 1
