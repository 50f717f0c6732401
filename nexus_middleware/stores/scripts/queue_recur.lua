-- Queue the job of a schedule, if no other worker did: the time that it was due must still be the one given. 1: queued.
-- ARGV: …, name, the time it was due, the next one, queue, id of the job, its fields and values…
local name, was, following, queue, id = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local due = redis.call('ZSCORE', P .. 'queues:next', name)
if not due or tonumber(due) ~= tonumber(was) then return 0 end
redis.call('ZADD', P .. 'queues:next', following, name)
redis.call('SADD', R .. 'queues', R .. 'queue:' .. queue)
redis.call('SADD', P .. 'queues:names', queue)
redis.call('HSET', job(id), unpack(ARGV, 9))
put(queue, id)
ring(1)
return 1
