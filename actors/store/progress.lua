-- A running job is being worked on, though no segment was cut or finished.
-- KEYS: job   ARGV: now_ms, ttl_s
local job = KEYS[1]
if redis.call("HGET", job, "state") == "running" then
    redis.call("HSET", job, "progress_ms", ARGV[1])
    redis.call("EXPIRE", job, ARGV[2])
end
