-- Begin a try to tell of a job's end. One is due at a time, however many messages ask for it.
-- KEYS: job, callbacks   ARGV: id
-- Returns 1, or 0 when none is due: it is settled, waits for its next try, or the job is gone.
local job, callbacks = unpack(KEYS)
local id = ARGV[1]
if redis.call("EXISTS", job) == 0 then
    redis.call("ZREM", callbacks, id)
    return 0
end
local time = redis.call("TIME")
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local due_ms = redis.call("ZSCORE", callbacks, id)
if not due_ms or tonumber(due_ms) > now_ms then
    return 0
end
redis.call("HINCRBY", job, "callback_tries", 1)
return 1
