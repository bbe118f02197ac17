-- A turn at the cores that some instances share, and a batch to spend it on.
--
-- A turn is an entry in a sorted set, holder → when its lease ends; an expired one no longer counts. Short
-- messages go first. To an express instance turns at long ones do not count, as it runs at a higher priority;
-- while there are such, the others leave short messages to it for a while.
--
-- Whenever messages wait and a core is free there is a ring, or somebody who is about to look. Whoever finds no
-- core gives the ring back, for those at other cores, and from then on listens for its own: at their bell, which
-- those who end a turn ring (`end_turn.lua`), and those who leave both a core and messages.
--
-- KEYS: turns at short messages, turns at long ones, bell of the cores, bell of the express instances,
--       heartbeats of the workers,
--       queue, messages, bell and acknowledgements of this worker for short ones, the same for long ones
-- ARGV: holder, worker, lease in ms, how many may calculate at once, most rows, most ms of audio,
--       1 if express, 1 if it serves long ones, ms for which short ones are left to express instances,
--       rings that a bell keeps, seconds for which that of the cores is kept
-- Returns 1 if there was no core, else 0, and the messages.
local short = { turns = KEYS[1], queue = KEYS[6], messages = KEYS[7], bell = KEYS[8], acks = KEYS[9] }
local long = { turns = KEYS[2], queue = KEYS[10], messages = KEYS[11], bell = KEYS[12], acks = KEYS[13] }
local cores_bell, express_bell, heartbeats = KEYS[3], KEYS[4], KEYS[5]
local holder, worker, lease_ms, at_once = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local most_rows, most_audio_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
local express, serves_long, leave_ms = ARGV[7] == "1", ARGV[8] == "1", tonumber(ARGV[9])
local rings_kept = tonumber(ARGV[10])

local time = redis.call("TIME")
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)

-- As Dramatiq does: what is in the hands of a worker without a heartbeat would never come back.
redis.call("ZADD", heartbeats, now_ms, worker)

local function ring(bell)
    redis.call("RPUSH", bell, "")
    redis.call("LTRIM", bell, 0, rings_kept - 1)
end

local function waiting(lane)
    return redis.call("LLEN", lane.queue)
end

local function first(lane)
    local id = redis.call("LINDEX", lane.queue, 0)
    local data = redis.call("HGET", lane.messages, id)
    return id, data, data and cjson.decode(data)
end

for _, lane in ipairs({ short, long }) do
    redis.call("ZREM", lane.turns, holder)
    redis.call("ZREMRANGEBYSCORE", lane.turns, 0, now_ms)
    lane.taken = redis.call("ZCARD", lane.turns)
end

local long_about = long.taken > 0 or waiting(long) > 0

local function left_to_express()
    if express or leave_ms == 0 or not long_about then
        return false
    end
    local _, _, message = first(short)
    return message and now_ms - message.message_timestamp < leave_ms
end

-- As many as make a batch, or this one's share of them if more cores are free.
local function take(lane, cores)
    local most = math.min(most_rows, math.ceil(waiting(lane) / cores))
    local batch, audio_ms = {}, 0
    while #batch < most and waiting(lane) > 0 do
        local id, data, message = first(lane)
        audio_ms = audio_ms + (message and message.options.audio_ms or 0)
        if #batch > 0 and audio_ms > most_audio_ms then
            break
        end
        redis.call("LPOP", lane.queue)
        if data then
            redis.call("SADD", lane.acks, id)
            batch[#batch + 1] = data
        end
    end
    if #batch > 0 then
        redis.call("ZADD", lane.turns, now_ms + lease_ms, holder)
        redis.call("PEXPIRE", lane.turns, lease_ms)
        lane.taken = lane.taken + 1
    end
    return batch
end

local free = at_once - short.taken - long.taken
local cores = express and at_once - short.taken or free
local batch = {}
if waiting(short) > 0 then
    if left_to_express() then
        ring(express_bell)
    elseif cores > 0 then
        batch = take(short, long_about and express and 1 or cores)
    end
end
if #batch == 0 and free > 0 and waiting(long) > 0 then
    if serves_long then
        batch = take(long, free)
    else
        ring(long.bell) -- the ring may have been for a long one, heard just before it ceased to serve them
    end
end
local none = #batch == 0 and cores <= 0
if none or #batch > 0 and at_once > short.taken + long.taken then
    for _, lane in ipairs({ short, long }) do
        if waiting(lane) > 0 then
            ring(lane.bell)
            if not none then
                ring(cores_bell)
                redis.call("EXPIRE", cores_bell, ARGV[11])
            end
        end
    end
end
return { none and 1 or 0, unpack(batch) }
