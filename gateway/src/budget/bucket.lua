-- Changes the levels of several leaky buckets, all or none.
-- KEYS: the buckets. ARGV: what to add to each level (less than zero: a refund); the time in microseconds, or '' for
-- Redis's own, which all replicas share; then the capacity and the drain of each bucket.
-- Levels and capacities are millionths of a unit, a drain is as many of them a microsecond. A bucket is kept as
-- "<level> <time>" until it is empty. Answers whether it was granted, then the level of each bucket.
local amount = tonumber(ARGV[1])
local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local answer, times = { 1 }, {}
for i, key in ipairs(KEYS) do
    local capacity, drain = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local level, at = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
    level, at = tonumber(level or 0), tonumber(at or now)
    level = math.max(0, level - math.max(0, now - at) * drain)
    if amount > 0 and level + amount > capacity then
        answer[1] = 0
    end
    answer[i + 1], times[i] = level, math.max(now, at)
end
if answer[1] == 0 then
    return answer
end

for i, key in ipairs(KEYS) do
    local level = math.max(0, answer[i + 1] + amount)
    answer[i + 1] = level
    if level == 0 then
        redis.call('DEL', key)
    else
        local drain = tonumber(ARGV[2 * i + 2])
        -- A second more than it takes to drain: expiry is counted in milliseconds, and a bucket must not go early.
        local life = math.ceil(level / drain / 1000) + 1000
        redis.call('SET', key, string.format('%.0f %.0f', level, times[i]), 'PX', string.format('%.0f', life))
    end
end
return answer
