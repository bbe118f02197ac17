-- End a turn (`take_turn.lua`), and ring for the next one at these cores if messages wait, which whoever has
-- listened for longest hears: so all instances take part.
-- KEYS: turns at short messages, turns at long ones, bell of the cores, queue of short messages, queue of long ones
-- ARGV: holder, rings that a bell keeps, seconds for which that of cores is kept, as machines may go
-- Returns 1 if messages wait, else 0.
redis.call("ZREM", KEYS[1], ARGV[1])
redis.call("ZREM", KEYS[2], ARGV[1])
if redis.call("LLEN", KEYS[4]) + redis.call("LLEN", KEYS[5]) > 0 then
    redis.call("RPUSH", KEYS[3], "")
    redis.call("LTRIM", KEYS[3], 0, ARGV[2] - 1)
    redis.call("EXPIRE", KEYS[3], ARGV[3])
    return 1
end
return 0
