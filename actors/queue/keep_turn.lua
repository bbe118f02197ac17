-- Let a turn go on (`take_turn.lua`), unless it is lost.
-- KEYS: turns at short messages, turns at long ones
-- ARGV: holder, lease in ms
local time = redis.call("TIME")
local ends_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]
for _, turns in ipairs(KEYS) do
    redis.call("ZADD", turns, "XX", ends_ms, ARGV[1])
    redis.call("PEXPIRE", turns, ARGV[2])
end
