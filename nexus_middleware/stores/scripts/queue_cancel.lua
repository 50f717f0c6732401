-- Let a job not be run: 1 if it waited or was delayed, and is canceled; 2 if it runs, and is told to stop; else 0.
-- ARGV: …, id
local id = ARGV[4]
local status, queue = unpack(redis.call('HMGET', job(id), 'status', 'origin'))
if status == 'started' then
  redis.call('HSET', job(id), 'cancel', 1)
  return 2
end
local gone = 0
if status == 'queued' then gone = redis.call('LREM', R .. 'queue:' .. queue, 1, id) end
if status == 'scheduled' then gone = redis.call('ZREM', R .. 'scheduled:' .. queue, id) end
if status == 'deferred' then gone = redis.call('ZREM', R .. 'deferred:' .. queue, id) end
if gone == 0 then return 0 end
for _, first in ipairs(redis.call('SMEMBERS', job(id) .. ':dependencies')) do
  redis.call('SREM', job(first) .. ':dependents', id)
end
redis.call('UNLINK', job(id) .. ':dependencies')
redis.call('HSET', job(id), 'status', 'canceled', 'ended_at', iso)
keep(R .. 'canceled:' .. queue, id, KEPT_FAILED)
return 1
