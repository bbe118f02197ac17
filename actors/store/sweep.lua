-- Forget jobs whose keys have expired: their API died before it could enqueue them, or they never ended.
-- KEYS: spool, running   ARGV: prefix of a job's key
-- Returns the bytes that are free again.
local spool, running, prefix = KEYS[1], KEYS[2], ARGV[1]
local freed = 0
for _, id in ipairs(redis.call("HKEYS", spool)) do
    if id ~= "total" and redis.call("EXISTS", prefix .. id) == 0 then
        freed = freed + tonumber(redis.call("HGET", spool, id))
        redis.call("HDEL", spool, id)
    end
end
redis.call("HINCRBY", spool, "total", -freed)
for _, id in ipairs(redis.call("ZRANGE", running, 0, -1)) do
    if redis.call("EXISTS", prefix .. id) == 0 then
        redis.call("ZREM", running, id)
    end
end
return freed
