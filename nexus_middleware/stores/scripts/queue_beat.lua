-- A worker is alive, and so is its claim on the job that it runs.
-- ARGV: RQ's prefix, our prefix, worker, seconds until it counts as dead, time as text, queue and member of its job or '', then facts: name, value…
local R, P, worker, hold, iso, queue, member = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local key = P .. 'queues:worker:' .. worker
redis.call('ZREMRANGEBYSCORE', P .. 'queues:workers', '-inf', string.format('%.6f', now))
redis.call('ZADD', P .. 'queues:workers', string.format('%.6f', now + hold), worker)
redis.call('HSET', key, 'seen', iso, unpack(ARGV, 8))
if member ~= '' and redis.call('ZSCORE', R .. 'wip:' .. queue, member) then
  redis.call('ZADD', R .. 'wip:' .. queue, string.format('%.6f', now + hold), member)
  redis.call('HSET', key, 'queue', queue, 'member', member)
  redis.call('HSET', R .. 'job:' .. string.match(member, '^[^:]+'), 'last_heartbeat', iso)
end
redis.call('EXPIRE', key, math.ceil(hold))
return 1
