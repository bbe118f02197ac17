-- Take jobs off the spool whose keys have expired: their API died before it could enqueue them.
-- KEYS: spool   ARGV: prefix of a job's key
-- Returns the bytes that are free again.
local spool, prefix = KEYS[1], ARGV[1]
local freed = 0
for _, id in ipairs(redis.call("HKEYS", spool)) do
    if id ~= "total" and redis.call("EXISTS", prefix .. id) == 0 then
        freed = freed + tonumber(redis.call("HGET", spool, id))
        redis.call("HDEL", spool, id)
    end
end
redis.call("HINCRBY", spool, "total", -freed)
return freed
