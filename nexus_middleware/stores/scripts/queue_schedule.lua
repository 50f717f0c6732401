-- Write down a schedule; if it is another than before, it is next due at the time given. 1: it was another.
-- ARGV: …, name, the schedule as JSON, when it is next due
local name, plan, due = ARGV[4], ARGV[5], ARGV[6]
local changed = redis.call('HGET', P .. 'queues:schedules', name) ~= plan
if changed then redis.call('HSET', P .. 'queues:schedules', name, plan) end
if redis.call('SISMEMBER', P .. 'queues:resting', name) == 1 then return changed and 1 or 0 end
if changed or not redis.call('ZSCORE', P .. 'queues:next', name) then redis.call('ZADD', P .. 'queues:next', due, name) end
return changed and 1 or 0
