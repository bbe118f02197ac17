-- Admit a job if the spool has room for its upload, unless its idempotency key has named a job already.
-- KEYS: job, spool, jobs, named ("" for a job without a key)
-- ARGV: id, upload_bytes, spool_limit_bytes, ttl_s, created_ms, prefix of a job's key, named_ttl_s,
--       field, value, field, value, …
-- Returns the id: its own, or that of the job with the same idempotency key; "" when the spool is full.
local job, spool, jobs, named = unpack(KEYS)
local id, bytes, limit, ttl, created_ms, prefix, named_ttl = unpack(ARGV, 1, 7)
local first = named ~= "" and redis.call("GET", named)
if first and redis.call("EXISTS", prefix .. first) == 1 then
    return first
end
local used = tonumber(redis.call("HGET", spool, "total") or "0")
if used + tonumber(bytes) > tonumber(limit) then
    return ""
end
redis.call("HINCRBY", spool, "total", bytes)
redis.call("HINCRBY", spool, id, bytes)
redis.call("HSET", job, unpack(ARGV, 8))
redis.call("EXPIRE", job, ttl)
-- No two jobs share a place in the index: a place says where a page of it ends.
local newest = redis.call("ZRANGE", jobs, -1, -1, "WITHSCORES")
local place = math.max(tonumber(created_ms), tonumber(newest[2] or "0") + 1)
redis.call("ZADD", jobs, string.format("%.0f", place), id)
if named ~= "" then
    redis.call("SET", named, id, "EX", named_ttl)
end
return id
