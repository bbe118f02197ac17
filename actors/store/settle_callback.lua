-- Note how a try to tell of a job's end went. What was delivered stays so.
-- KEYS: job, callbacks
-- ARGV: id, state, error, pause_ms (before the next try of one that is pending)
local job, callbacks = unpack(KEYS)
local id, state, error, pause_ms = unpack(ARGV)
local open = redis.call("ZSCORE", callbacks, id)
if redis.call("EXISTS", job) == 1 and (open or state == "delivered") then
    redis.call("HSET", job, "callback_state", state)
    if error == "" then
        redis.call("HDEL", job, "callback_error")
    else
        redis.call("HSET", job, "callback_error", error)
    end
end
if state ~= "pending" then
    redis.call("ZREM", callbacks, id)
elseif open then
    local time = redis.call("TIME")
    redis.call("ZADD", callbacks, time[1] * 1000 + math.floor(time[2] / 1000) + pause_ms, id)
end
