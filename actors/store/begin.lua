-- A segmenter takes a job: queued becomes running; a running one is taken again after a crash.
-- KEYS: job, running   ARGV: id, now_ms, events, ttl_s
-- Returns 1, or 0 when the job is gone or has ended.
local job, running = KEYS[1], KEYS[2]
local state = redis.call("HGET", job, "state")
if state then
    redis.call("EXPIRE", job, ARGV[4])
end
if state == "running" then
    return 1
end
if state ~= "queued" then
    return 0
end
redis.call("HSET", job, "state", "running", "started_ms", ARGV[2], "progress_ms", ARGV[2])
redis.call("ZADD", running, ARGV[2], ARGV[1])
redis.call("PUBLISH", ARGV[3], cjson.encode({ job = ARGV[1], state = "running" }))
return 1
