-- Write down how a run ended. 0: the claim was lost, another has the job by now, and nothing is written.
-- ARGV: RQ's prefix, our prefix, worker, queue, member, time as text, outcome (done, retry, later or failed), what to
-- write (a result as JSON, or why it failed), seconds to wait (retry, later), how many to keep, "wait:run" in
-- milliseconds, seconds that finished and failed jobs are kept
local R, P, worker, queue, member, iso = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local outcome, text, delay, kept, times, keep = ARGV[7], ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11], tonumber(ARGV[12])
local own = P .. 'queues:worker:' .. worker
if redis.call('HGET', own, 'member') == member then redis.call('HDEL', own, 'queue', 'member', 'since') end
if redis.call('ZREM', R .. 'wip:' .. queue, member) == 0 then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local id = string.match(member, '^[^:]+')
local job, totals = R .. 'job:' .. id, P .. 'queues:totals:' .. queue
local known = redis.call('EXISTS', job) == 1 -- else it was deleted while it ran

if outcome == 'retry' or outcome == 'later' then
  if not known then return 1 end
  if outcome == 'retry' then
    redis.call('HINCRBY', totals, 'retried', 1)
    redis.call('HINCRBY', job, 'retries_left', -1)
  end
  redis.call('HSET', job, 'status', 'scheduled', 'ended_at', iso, 'exc_info', text)
  redis.call('ZADD', R .. 'scheduled:' .. queue, string.format('%.6f', now + delay), id)
  return 1
end

local registry
if outcome == 'done' then
  registry = R .. 'finished:' .. queue
  redis.call('HINCRBY', totals, 'completed', 1)
  local minute = P .. 'queues:minute:' .. queue .. ':' .. math.floor(now / 60)
  redis.call('INCR', minute)
  redis.call('EXPIRE', minute, 7200)
  redis.call('LPUSH', P .. 'queues:times:' .. queue, times)
  redis.call('LTRIM', P .. 'queues:times:' .. queue, 0, 99)
  if known then
    redis.call('HSET', job, 'status', 'finished', 'ended_at', iso, 'result', text)
    redis.call('HDEL', job, 'exc_info', 'rescues')
  end
else
  registry = R .. 'failed:' .. queue
  redis.call('HINCRBY', totals, 'failed', 1)
  if known then redis.call('HSET', job, 'status', 'failed', 'ended_at', iso, 'exc_info', text) end
end
if not known then return 1 end
redis.call('ZADD', registry, string.format('%.6f', now + keep), id)
redis.call('EXPIRE', job, keep)
local over = redis.call('ZCARD', registry) - kept
if over > 0 then
  for _, old in ipairs(redis.call('ZRANGE', registry, 0, over - 1)) do
    redis.call('ZREM', registry, old)
    redis.call('UNLINK', R .. 'job:' .. old)
  end
end
return 1
