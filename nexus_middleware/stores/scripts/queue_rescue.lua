-- Put jobs back at the head of their queue whose worker has died: `worker`'s, or all whose claims have run out.
-- A job that killed its worker too often is failed instead. How many jobs it was.
-- ARGV: …, worker or '', queues…
local worker, rescued = ARGV[4], 0

local function rescue(queue, member)
  local id = string.match(member, '^[^:]+')
  if redis.call('ZREM', R .. 'wip:' .. queue, member) == 0 then return end
  local by, began = unpack(redis.call('HMGET', job(id), 'worker_name', 'started_at'))
  if redis.call('EXISTS', job(id)) == 0 then return end
  rescued = rescued + 1
  note(id, cjson.encode({outcome = 'rescued', worker = by, startedAt = began, endedAt = iso,
    error = 'The worker died while it ran this job.'}))
  if redis.call('HINCRBY', job(id), 'rescues', 1) > RESCUES then
    return fail(queue, id, 'The worker died ' .. (RESCUES + 1) .. ' times while it ran this job.')
  end
  count(queue, 'rescued')
  redis.call('HSET', job(id), 'status', 'queued')
  redis.call('LPUSH', R .. 'queue:' .. queue, id)
end

if worker ~= '' then
  local own = P .. 'queues:worker:' .. worker
  local claim = redis.call('HMGET', own, 'queue', 'member')
  redis.call('ZREM', P .. 'queues:workers', worker)
  redis.call('DEL', own)
  if claim[2] then rescue(claim[1], claim[2]) end
else
  for i = 5, #ARGV do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', R .. 'wip:' .. ARGV[i], '-inf', stamp(now))) do
      rescue(ARGV[i], member)
    end
    for _, registry in ipairs({'finished:', 'failed:', 'canceled:'}) do
      redis.call('ZREMRANGEBYSCORE', R .. registry .. ARGV[i], '-inf', stamp(now))
    end
  end
end
ring(rescued)
return rescued
