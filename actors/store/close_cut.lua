-- The segmenter has reached the end: the number of segments is final, the upload is no longer needed.
-- Not so if another server answers than when the job was begun: segments may be missing.
-- Behind `backlog.lua`, `cut_job.lua` and `server.lua`.
-- KEYS: job, upload, segments, outcomes, spool, backlog short, backlog long
-- ARGV: id, audio_ms, upload_bytes, now_ms, prefix of the job's results, the server that had it begun
-- Returns 0 when it must be cut again; what `cut_job` does when every segment is finished already, so that the
-- caller must assemble; else nil.
local job, upload, segments, outcomes, spool, short, long = unpack(KEYS)
local id, audio_ms, upload_bytes, now_ms, results, begun_by = unpack(ARGV)
if redis.call("HGET", job, "state") ~= "running" then
    return nil
end
if redis.call("HGET", job, "cut") ~= "1" then
    if server() ~= begun_by then
        return 0
    end
    redis.call("HSET", job, "cut", "1", "audio_ms", audio_ms, "progress_ms", now_ms)
    update_backlog(short, long, job, id)
    redis.call("UNLINK", upload)
    take_off(spool, id, upload_bytes)
    take_off(spool, "total", upload_bytes)
end
local counts = redis.call("HMGET", job, "segments", "finished")
return counts[1] == counts[2] and cut_job(job, segments, outcomes, results) or nil
