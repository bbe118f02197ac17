-- Shared by the scripts that must know whether one server has kept everything between them.

-- The process that answers. Another one, after a failover or a restart, may lack what its predecessor kept last.
local function server()
    return string.match(redis.call("INFO", "server"), "run_id:(%x+)")
end
