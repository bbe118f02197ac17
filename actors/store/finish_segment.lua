-- Mark a segment finished: it was recognised (reason "") or given up. Finishing it twice changes nothing, nor does
-- finishing one that is not known: a failover has lost it, and the segmenter will add it again.
-- Behind `backlog.lua` and `cut_job.lua`.
-- KEYS: job, segments, audio, outcomes, spool, backlog short, backlog long, speed
-- ARGV: id, index, reason, now_ms, ttl_s, events, prefix of the job's results
-- Returns what `cut_job` does when every segment of the job is finished, so that the caller must assemble; else nil.
local job, segments, audio, outcomes, spool, short, long, speed = unpack(KEYS)
local id, index, reason, now_ms, ttl, events, results = unpack(ARGV)
if redis.call("HGET", job, "state") ~= "running" or redis.call("HEXISTS", segments, index) == 0 then
    -- What an instance heard while the job ended is of no use to anybody.
    redis.call("UNLINK", results .. index)
    return nil
end
if redis.call("HSETNX", outcomes, index, reason) == 1 then
    for _, key in ipairs({ job, segments, audio, outcomes }) do
        redis.call("EXPIRE", key, ttl)
    end
    local bytes = redis.call("HSTRLEN", audio, index)
    redis.call("HDEL", audio, index)
    take_off(spool, id, bytes)
    take_off(spool, "total", bytes)
    local span = cjson.decode(redis.call("HGET", segments, index))
    redis.call("HINCRBY", job, "finished_ms", span[2] - span[1])
    measure_speed(speed, update_backlog(short, long, job, id), short, long, tonumber(now_ms))
    local finished = redis.call("HINCRBY", job, "finished", 1)
    if reason ~= "" then
        redis.call("HINCRBY", job, "failed", 1)
    end
    redis.call("HSET", job, "progress_ms", now_ms)
    redis.call("PUBLISH", events, cjson.encode({ job = id, state = "running", finished = finished }))
end
local now = redis.call("HMGET", job, "cut", "segments", "finished")
return now[1] == "1" and now[2] == now[3] and cut_job(job, segments, outcomes, results) or nil
