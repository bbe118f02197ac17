-- Store a segment that the segmenter has cut. Adding it twice changes nothing.
-- Behind `backlog.lua`.
-- KEYS: job, segments, audio, outcomes, spool, backlog short, backlog long, speed
-- ARGV: id, index, span, duration_ms, pcm, audio_ms, now_ms, ttl_s, claimed_ms (0 where nothing new is known)
-- Returns {1 when it waits for recognition, milliseconds cut but not yet recognised},
-- or {-1, 0} when the job is gone or has ended.
local job, segments, audio, outcomes, spool, short, long, speed = unpack(KEYS)
local id, index, span, duration_ms, pcm, audio_ms, now_ms, ttl, claimed_ms = unpack(ARGV)
if redis.call("HGET", job, "state") ~= "running" then
    return { -1, 0 }
end
if redis.call("HSETNX", segments, index, span) == 1 then
    redis.call("HINCRBY", job, "segments", 1)
    redis.call("HINCRBY", job, "cut_ms", duration_ms)
    redis.call("HSET", job, "audio_ms", audio_ms, "progress_ms", now_ms)
    if claimed_ms ~= "0" then
        redis.call("HSET", job, "claimed_ms", claimed_ms)
    end
    -- Silence is passed at once.
    measure_speed(speed, math.max(0, update_backlog(short, long, job, id)), short, long, tonumber(now_ms))
end
-- The parts of a job live as long as something happens to it.
for _, key in ipairs({ job, segments, outcomes }) do
    redis.call("EXPIRE", key, ttl)
end
local waits = redis.call("HEXISTS", outcomes, index) == 0 and 1 or 0
if waits == 1 and redis.call("HSETNX", audio, index, pcm) == 1 then
    redis.call("EXPIRE", audio, ttl)
    redis.call("HINCRBY", spool, id, #pcm)
    redis.call("HINCRBY", spool, "total", #pcm)
end
local counts = redis.call("HMGET", job, "cut_ms", "finished_ms")
return { waits, tonumber(counts[1]) - tonumber(counts[2] or "0") }
