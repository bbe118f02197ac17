-- End a turn (`take_turn.lua`), and ring for the next one.
-- KEYS: turns at short messages, turns at long ones, queue and bell of short ones, queue and bell of long ones
-- ARGV: holder
redis.call("ZREM", KEYS[1], ARGV[1])
redis.call("ZREM", KEYS[2], ARGV[1])
for _, lane in ipairs({ { KEYS[3], KEYS[4] }, { KEYS[5], KEYS[6] } }) do
    if redis.call("LLEN", lane[1]) > 0 then
        redis.call("RPUSH", lane[2], "")
        redis.call("LTRIM", lane[2], 0, 63)
    end
end
