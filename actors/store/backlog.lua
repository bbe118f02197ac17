-- Shared by the scripts that follow it: how much audio waits in each lane, and how fast it becomes less.
-- `scripts.py` says what LONG_MS is.
local SPEED_WINDOW_MS = 20000
-- Longer gaps are no work but something that stood still.
local SPEED_GAP_MS = 5000

local function count(hash, field)
    return tonumber(redis.call("HGET", hash, field) or "0")
end

-- Take so much off a counter. Lua writes -n of nothing as "-0", which Redis, unlike Valkey, takes for no number.
local function take_off(hash, field, n)
    redis.call("HINCRBY", hash, field, 0 - n)
end

-- Let so much of a job wait in a lane, and nothing in the other; 0 for nothing in either.
local function set_backlog(short, long, id, lane, ms)
    for _, other in ipairs({ short, long }) do
        local now = other == lane and ms or 0
        local before = count(other, id)
        if now ~= before then
            redis.call("HINCRBY", other, "total", now - before)
            redis.call("HSET", other, id, now)
        end
        if now == 0 then
            redis.call("HDEL", other, id)
        end
    end
end

-- What of a job waits: all that is not cut, as long as it is expected to be, and speech not yet recognised.
-- Returns by how much it has become less.
local function update_backlog(short, long, job, id)
    local fields = redis.call(
        "HMGET", job, "cut", "audio_ms", "claimed_ms", "expected_ms", "cut_ms", "finished_ms"
    )
    local function field(n)
        return tonumber(fields[n] or "0")
    end
    local audio_ms, claimed_ms = field(2), field(3)
    local length_ms = audio_ms
    if fields[1] ~= "1" then
        length_ms = math.max(audio_ms, claimed_ms > 0 and claimed_ms or field(4))
    end
    local before = count(short, id) + count(long, id)
    local now = length_ms - audio_ms + field(5) - field(6)
    set_backlog(short, long, id, length_ms > LONG_MS and long or short, now)
    return before - now
end

-- So much audio is done with: the speed is that of the last 10 to 20 s in which there was a backlog. The last of
-- it tells nothing: how soon it was done hangs on how little there was to do.
local function measure_speed(speed, audio_ms, short, long, now_ms)
    if count(short, "total") + count(long, "total") <= 0 then
        redis.call("HSET", speed, "last_ms", now_ms)
        return
    end
    local last_ms = count(speed, "last_ms")
    local busy = count(speed, "busy_ms") + math.min(math.max(now_ms - last_ms, 0), SPEED_GAP_MS)
    local audio = count(speed, "audio_ms") + audio_ms
    if busy > SPEED_WINDOW_MS then
        busy, audio = busy / 2, audio / 2
    end
    redis.call("HSET", speed, "last_ms", now_ms, "busy_ms", math.floor(busy), "audio_ms", math.floor(audio))
end
