-- End a turn (`take_turn.lua`), and ring for the next one of this host if messages wait.
-- KEYS: turns at short messages, turns at long ones, bell of the host, queue of short messages, queue of long ones
-- ARGV: holder
redis.call("ZREM", KEYS[1], ARGV[1])
redis.call("ZREM", KEYS[2], ARGV[1])
if redis.call("LLEN", KEYS[4]) + redis.call("LLEN", KEYS[5]) > 0 then
    redis.call("RPUSH", KEYS[3], "")
    redis.call("LTRIM", KEYS[3], 0, 63)
end
