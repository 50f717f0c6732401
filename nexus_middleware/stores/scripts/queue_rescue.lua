-- Put jobs back at the head of their queue whose worker has died: `worker`'s, or all whose claims have run out.
-- A job that killed its worker too often is failed instead. How many jobs it was.
-- ARGV: …, worker or '', of what it died or '', queues…
local worker, why, rescued = ARGV[4], ARGV[5], 0

if worker ~= '' then
  local own = P .. 'queues:worker:' .. worker
  local claim = redis.call('HMGET', own, 'queue', 'member')
  redis.call('ZREM', P .. 'queues:workers', worker)
  redis.call('DEL', own)
  if claim[2] then rescued = rescue(claim[1], claim[2], why) end
else
  for i = 6, #ARGV do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', R .. 'wip:' .. ARGV[i], '-inf', stamp(now))) do
      rescued = rescued + rescue(ARGV[i], member, why)
    end
    for _, registry in ipairs({'finished:', 'failed:', 'canceled:'}) do
      redis.call('ZREMRANGEBYSCORE', R .. registry .. ARGV[i], '-inf', stamp(now))
    end
  end
end
ring(rescued)
return rescued
