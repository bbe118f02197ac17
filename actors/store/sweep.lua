-- Forget jobs whose keys have expired: their API died before it could enqueue them, they never ended, or
-- their time is over.
-- KEYS: spool, running, queued, jobs   ARGV: prefix of a job's key, most jobs of the index to look at
-- Returns the bytes that are free again.
local spool, running, queued, jobs = unpack(KEYS)
local prefix, most = unpack(ARGV)
local freed = 0
for _, id in ipairs(redis.call("HKEYS", spool)) do
    if id ~= "total" and redis.call("EXISTS", prefix .. id) == 0 then
        freed = freed + tonumber(redis.call("HGET", spool, id))
        redis.call("HDEL", spool, id)
    end
end
redis.call("HINCRBY", spool, "total", -freed)
-- The oldest jobs of the index expire first; of the other two all are looked at.
for set, last in pairs({ [running] = -1, [queued] = -1, [jobs] = most - 1 }) do
    for _, id in ipairs(redis.call("ZRANGE", set, 0, last)) do
        if redis.call("EXISTS", prefix .. id) == 0 then
            redis.call("ZREM", set, id)
        end
    end
end
return freed
