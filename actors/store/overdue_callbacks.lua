-- Find the callbacks whose try is overdue: the process that was to ask for it has died.
-- KEYS: callbacks   ARGV: prefix of a job's key, overdue_ms, most to look at
-- Returns their ids; from now on they are due anew.
local callbacks = KEYS[1]
local prefix, overdue_ms, most = unpack(ARGV)
local time = redis.call("TIME")
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, id in ipairs(redis.call("ZRANGEBYSCORE", callbacks, "-inf", now_ms - overdue_ms, "LIMIT", 0, most)) do
    if redis.call("EXISTS", prefix .. id) == 1 then
        redis.call("ZADD", callbacks, now_ms, id)
        table.insert(found, id)
    else
        redis.call("ZREM", callbacks, id)
    end
end
return found
