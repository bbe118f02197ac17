-- A running job is being worked on, though no segment was cut or finished.
-- Behind `backlog.lua`.
-- KEYS: job, backlog short, backlog long   ARGV: id, now_ms, ttl_s, claimed_ms (0 where nothing new is known)
local job, short, long = unpack(KEYS)
local id, now_ms, ttl, claimed_ms = unpack(ARGV)
if redis.call("HGET", job, "state") == "running" then
    redis.call("HSET", job, "progress_ms", now_ms)
    if claimed_ms ~= "0" then
        redis.call("HSET", job, "claimed_ms", claimed_ms)
        update_backlog(short, long, job, id)
    end
    redis.call("EXPIRE", job, ttl)
end
