-- Forget the workers of hosts that have gone: their names, such as those of pods, may never come again.
-- What they have counted stays counted, under one name for all. A worker whose name has no host stays: there is
-- only one host then, and its workers are always called the same.
-- KEYS: workers, busy, gone, stats   ARGV: ms after which one that is not heard of is forgotten, their one name
-- Returns how many were forgotten.
local workers, busy, gone, stats = unpack(KEYS)
local after_ms, all_gone = tonumber(ARGV[1]), ARGV[2]
local time = redis.call("TIME")
local past_ms = time[1] * 1000 + math.floor(time[2] / 1000) - after_ms
local forgotten = {}

local reports = redis.call("HGETALL", workers)
for n = 1, #reports, 2 do
    local name = reports[n]
    if string.find(name, "@", 1, true) and cjson.decode(reports[n + 1]).beat_ms < past_ms then
        redis.call("HDEL", workers, name)
        forgotten[name] = true
    end
end
for _, name in ipairs(redis.call("ZRANGEBYSCORE", gone, "-inf", past_ms)) do
    redis.call("ZREM", gone, name)
    forgotten[name] = redis.call("HEXISTS", workers, name) == 0 or nil
end
if not next(forgotten) then
    return 0
end

local counted = redis.call("HGETALL", stats)
for n = 1, #counted, 2 do
    local name, counter = string.match(counted[n], "^(.*):([^:]*)$")
    if forgotten[name] then
        redis.call("HINCRBY", stats, all_gone .. ":" .. counter, counted[n + 1])
        redis.call("HDEL", stats, counted[n])
    end
end
local number = 0
for name in pairs(forgotten) do
    redis.call("SREM", busy, name)
    number = number + 1
end
return number
