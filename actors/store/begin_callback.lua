-- Begin a try to tell of a job's end, or put it off. One is due at a time, however many messages ask for it.
-- KEYS: job, callbacks
-- ARGV: id, for_ms (until it is due again), tried (1: the try is begun and counted, 0: it is put off)
-- Returns whether it is begun, and else how many milliseconds it is until one is due, 0 when none ever will be:
-- it is settled, or the job is gone.
local job, callbacks = unpack(KEYS)
local id, for_ms, tried = unpack(ARGV)
if redis.call("EXISTS", job) == 0 then
    redis.call("ZREM", callbacks, id)
    return { 0, 0 }
end
local time = redis.call("TIME")
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local due_ms = tonumber(redis.call("ZSCORE", callbacks, id) or "0")
if due_ms == 0 then
    return { 0, 0 }
end
if due_ms > now_ms then
    return { 0, due_ms - now_ms }
end
redis.call("ZADD", callbacks, now_ms + for_ms, id)
if tried == "0" then
    return { 0, tonumber(for_ms) }
end
redis.call("HINCRBY", job, "callback_tries", 1)
return { 1, 0 }
