-- Shared by the scripts that may find every segment of a job finished: what it is assembled from.

-- The job's fields, its spans, its outcomes, and what was heard in each span; results: prefix of its results.
local function cut_job(job, segments, outcomes, results)
    local spans = redis.call("HGETALL", segments)
    local heard = {}
    for n = 1, #spans, 2 do
        heard[#heard + 1] = redis.call("LINDEX", results .. spans[n], 0)
    end
    return { redis.call("HGETALL", job), spans, redis.call("HGETALL", outcomes), heard }
end
