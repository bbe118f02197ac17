-- Admit a job unless a limit is in its way, or its idempotency key has named a job already. Behind `limits.lua`.
-- KEYS: those of `limits.lua`, job, index, the caller's index, upload
-- ARGV: those of `limits.lua`, id, ttl_s, created_ms, caller, named_ttl_s, first chunk of the upload, field, value, field, value, …
-- Returns {"", id}, its own or that of the job with the same idempotency key;
-- or the name of the limit and the milliseconds until it may have passed.
local key, asked = limit_arguments(KEYS, ARGV)
local job, index, own_index, upload = unpack(KEYS, 8)
local id, ttl, created_ms, caller, named_ttl, chunk = unpack(ARGV, 10, 15)
if redis.call("EXISTS", job) == 1 then -- sent again, because the answer was lost
    return { "", id }
end
local first = named_before(key, asked)
if first then
    return { "", first }
end
local limit, wait_ms = limit_in_the_way(key, asked)
if limit then
    return { limit, math.ceil(wait_ms) }
end
if asked.rate > 0 then
    local due_ms = math.max(count_of(key.rate), asked.now_ms) + MINUTE_MS / asked.rate
    redis.call("SET", key.rate, string.format("%.3f", due_ms), "PX", math.ceil(due_ms - asked.now_ms))
end
redis.call("HINCRBY", key.spool, "total", asked.bytes)
redis.call("HINCRBY", key.spool, id, asked.bytes)
redis.call("HSET", job, unpack(ARGV, 16))
redis.call("EXPIRE", job, ttl)
if chunk ~= "" then
    redis.call("HSET", upload, 0, chunk)
    redis.call("EXPIRE", upload, ttl)
end
if count(key.short, "total") + count(key.long, "total") == 0 then
    redis.call("HSET", key.speed, "last_ms", asked.now_ms)
end
update_backlog(key.short, key.long, job, id)
redis.call("SADD", key.active, id)
redis.call("EXPIRE", key.active, named_ttl)
-- No two jobs share a place in an index: a place says where a page of it ends.
local newest = redis.call("ZRANGE", own_index, -1, -1, "WITHSCORES")
local place = math.max(tonumber(created_ms), tonumber(newest[2] or "0") + 1)
redis.call("ZADD", own_index, string.format("%.0f", place), id)
redis.call("ZADD", index, string.format("%.0f", place), caller .. ":" .. id)
if key.named ~= NOT_NAMED then
    redis.call("SET", key.named, id, "EX", named_ttl)
end
return { "", id }
