-- A running job is being worked on, though no segment was cut or finished.
-- KEYS: job   ARGV: now_ms, ttl_s, claimed_ms (0 where nothing new is known)
local job = KEYS[1]
local now_ms, ttl, claimed_ms = unpack(ARGV)
if redis.call("HGET", job, "state") == "running" then
    redis.call("HSET", job, "progress_ms", now_ms)
    if claimed_ms ~= "0" then
        redis.call("HSET", job, "claimed_ms", claimed_ms)
    end
    redis.call("EXPIRE", job, ttl)
end
