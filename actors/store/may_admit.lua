-- Whether an upload may be taken in, before it is read. Behind `limits.lua`, which names KEYS and ARGV.
-- Returns {"", 0}, or the name of the limit in the way and the milliseconds until it may have passed.
local key, asked = limit_arguments(KEYS, ARGV)
if named_before(key, asked) then
    return { "", 0 }
end
local limit, wait_ms = limit_in_the_way(key, asked)
return limit and { limit, math.ceil(wait_ms) } or { "", 0 }
