-- Begin a try to tell of a job's end, or put it off. One is made at a time, however many messages ask for it:
-- whoever begins it has it for_ms, and if it is not settled by then, it is due again. What is put off is not due
-- meanwhile either, or the monitor would take its message for lost.
-- KEYS: job, callbacks   ARGV: id, for_ms, put_off (1, or 0 to begin it)
-- Returns whether it is begun, and else in how many milliseconds one is due; 0 when none ever is: it is settled,
-- or the job is gone.
local job, callbacks = unpack(KEYS)
local id, for_ms, put_off = unpack(ARGV)
if redis.call("EXISTS", job) == 0 then
    redis.call("ZREM", callbacks, id)
    return { 0, 0 }
end
local due_ms = redis.call("ZSCORE", callbacks, id)
if not due_ms then
    return { 0, 0 }
end
local time = redis.call("TIME")
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local early_ms = tonumber(due_ms) - now_ms
if early_ms > 0 then
    return { 0, early_ms }
end
redis.call("ZADD", callbacks, now_ms + for_ms, id)
if put_off == "1" then
    return { 0, tonumber(for_ms) }
end
redis.call("HINCRBY", job, "callback_tries", 1)
return { 1, 0 }
