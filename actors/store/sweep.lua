-- Forget jobs whose keys have expired: their API died before it could enqueue them, they never ended, or
-- their time is over. Behind `backlog.lua`.
-- KEYS: spool, backlog short, backlog long, running, queued, index
-- ARGV: prefix of a job's key, prefix of the callers' indexes, prefix of their active jobs,
--       most jobs of the index to look at
-- Returns the bytes that are free again.
local spool, short, long, running, queued, index = unpack(KEYS)
local prefix, own_indexes, active, most = unpack(ARGV)

local function is_gone(id)
    return redis.call("EXISTS", prefix .. id) == 0
end

local freed = 0
for _, id in ipairs(redis.call("HKEYS", spool)) do
    if id ~= "total" and is_gone(id) then
        freed = freed + count(spool, id)
        redis.call("HDEL", spool, id)
    end
end
take_off(spool, "total", freed)
for _, lane in ipairs({ short, long }) do
    for _, id in ipairs(redis.call("HKEYS", lane)) do
        if id ~= "total" and is_gone(id) then
            set_backlog(short, long, id, short, 0)
        end
    end
end
for _, set in ipairs({ running, queued }) do
    for _, id in ipairs(redis.call("ZRANGE", set, 0, -1)) do
        if is_gone(id) then
            redis.call("ZREM", set, id)
        end
    end
end
-- The oldest jobs of the index expire first.
for _, member in ipairs(redis.call("ZRANGE", index, 0, most - 1)) do
    local caller, id = string.match(member, "^(.*):(.*)$")
    if not id or is_gone(id) then -- or a member as a former version wrote it
        redis.call("ZREM", index, member)
    end
    if id and is_gone(id) then
        redis.call("ZREM", own_indexes .. caller, id)
        redis.call("SREM", active .. caller, id)
    end
end
return freed
