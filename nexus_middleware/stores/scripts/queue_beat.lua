-- A worker is alive, and so is its claim on the job that it runs. 1: that run is to be stopped, for somebody wants it
-- canceled, or it was given to another: this worker stood still for too long.
-- ARGV: …, worker, queue and member of its job or '', then facts: name, value…
local worker, queue, member = ARGV[4], ARGV[5], ARGV[6]
local own = P .. 'queues:worker:' .. worker
redis.call('ZREMRANGEBYSCORE', P .. 'queues:workers', '-inf', stamp(now - 300)) -- the dead are listed for a while
redis.call('ZADD', P .. 'queues:workers', stamp(now + HOLD), worker)
redis.call('HSET', own, 'seen', iso, unpack(ARGV, 7))
redis.call('EXPIRE', own, HOLD + 300)
if member == '' then return 0 end
if not redis.call('ZSCORE', R .. 'wip:' .. queue, member) then return 1 end
redis.call('ZADD', R .. 'wip:' .. queue, stamp(now + HOLD), member)
redis.call('HSET', own, 'queue', queue, 'member', member)
local id = string.match(member, '^[^:]+')
if redis.call('EXISTS', job(id)) == 0 then return 1 end -- it was deleted
redis.call('HSET', job(id), 'last_heartbeat', iso)
return redis.call('HEXISTS', job(id), 'cancel')
