-- Write down how a run ended. 0: the claim was lost, another has the job by now, and nothing is written.
-- ARGV: …, worker, queue, member, outcome (done, retry, later, failed, canceled or died), what to write (a result as JSON, or
-- why it failed), seconds to wait (retry, later), "wait:run" in milliseconds, the bucket of the wait or '', that of the
-- run, a line of JSON about this run or ''
local worker, queue, member, outcome, text, seconds = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], tonumber(ARGV[9])
local times, waited, ran, line = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local own = P .. 'queues:worker:' .. worker
if redis.call('HGET', own, 'member') == member then redis.call('HDEL', own, 'queue', 'member', 'since') end
if outcome == 'died' then
  ring(rescue(queue, member, text))
  return 1
end
if redis.call('ZREM', R .. 'wip:' .. queue, member) == 0 then return 0 end
local id = string.match(member, '^[^:]+')
local known = redis.call('HMGET', job(id), 'status', 'schedule', 'slot') -- no status: it was deleted while it ran

local function release() -- the jobs that waited for this one
  local freed = 0
  for _, other in ipairs(redis.call('SMEMBERS', job(id) .. ':dependents')) do
    redis.call('SREM', job(other) .. ':dependencies', id)
    local origin, due = unpack(redis.call('HMGET', job(other), 'origin', 'not_before'))
    if origin and redis.call('SCARD', job(other) .. ':dependencies') == 0
        and redis.call('ZREM', R .. 'deferred:' .. origin, other) == 1 then
      if tonumber(due or 0) > now then delay(origin, other, tonumber(due)) else put(origin, other) end
      freed = freed + 1
    end
  end
  redis.call('UNLINK', job(id) .. ':dependents')
  ring(freed)
end

if known[1] and line ~= '' then note(id, line) end
if outcome == 'retry' or outcome == 'later' then
  if not known[1] then return 1 end
  if outcome == 'retry' then
    count(queue, 'retried')
    tally(queue, {'retried'})
    redis.call('HINCRBY', job(id), 'retries_left', -1)
  end
  redis.call('HSET', job(id), 'ended_at', iso, 'exc_info', text)
  delay(queue, id, now + seconds)
elseif outcome == 'done' then
  count(queue, 'completed')
  tally(queue, waited == '' and {'done', 'r' .. ran} or {'done', 'r' .. ran, 'w' .. waited})
  redis.call('LPUSH', P .. 'queues:times:' .. queue, times)
  redis.call('LTRIM', P .. 'queues:times:' .. queue, 0, 99)
  tell(known, id, 'done', times)
  if not known[1] then return 1 end
  redis.call('HSET', job(id), 'status', 'finished', 'ended_at', iso, 'result', text)
  redis.call('HDEL', job(id), 'exc_info', 'rescues')
  release()
  keep(R .. 'finished:' .. queue, id, KEPT_DONE)
elseif outcome == 'canceled' then
  if not known[1] then return 1 end
  redis.call('HSET', job(id), 'status', 'canceled', 'ended_at', iso, 'exc_info', text)
  redis.call('HDEL', job(id), 'cancel')
  keep(R .. 'canceled:' .. queue, id, KEPT_FAILED)
else
  if known[1] then
    fail(queue, id, text, times)
  else
    count(queue, 'failed')
  end
end
return 1
