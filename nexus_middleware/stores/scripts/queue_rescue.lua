-- Put jobs back at the head of their queue whose worker has died: `worker`'s, or all whose claims have run out.
-- A job that killed its worker too often is failed instead.
-- ARGV: RQ's prefix, our prefix, time as text, worker or '', most rescues, failed jobs to keep, seconds to keep them, queues…
local R, P, iso, worker = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local most, kept, keep = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local rescued = 0

local function fail(queue, id)
  local registry = R .. 'failed:' .. queue
  local text = 'The worker died ' .. (most + 1) .. ' times while it ran this job.'
  redis.call('HSET', R .. 'job:' .. id, 'status', 'failed', 'ended_at', iso, 'exc_info', text)
  redis.call('EXPIRE', R .. 'job:' .. id, keep)
  redis.call('HINCRBY', P .. 'queues:totals:' .. queue, 'failed', 1)
  redis.call('ZADD', registry, string.format('%.6f', now + keep), id)
  local over = redis.call('ZCARD', registry) - kept
  if over > 0 then
    for _, old in ipairs(redis.call('ZRANGE', registry, 0, over - 1)) do
      redis.call('ZREM', registry, old)
      redis.call('UNLINK', R .. 'job:' .. old)
    end
  end
end

local function rescue(queue, member)
  local id = string.match(member, '^[^:]+')
  if redis.call('ZREM', R .. 'wip:' .. queue, member) == 0 then return end
  if redis.call('EXISTS', R .. 'job:' .. id) == 0 then return end
  rescued = rescued + 1
  if redis.call('HINCRBY', R .. 'job:' .. id, 'rescues', 1) > most then return fail(queue, id) end
  redis.call('HINCRBY', P .. 'queues:totals:' .. queue, 'rescued', 1)
  redis.call('HSET', R .. 'job:' .. id, 'status', 'queued')
  redis.call('LPUSH', R .. 'queue:' .. queue, id)
end

if worker ~= '' then
  local own = P .. 'queues:worker:' .. worker
  local claim = redis.call('HMGET', own, 'queue', 'member')
  redis.call('ZREM', P .. 'queues:workers', worker)
  redis.call('DEL', own)
  if claim[2] then rescue(claim[1], claim[2]) end
else
  for i = 8, #ARGV do
    local past = string.format('%.6f', now)
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', R .. 'wip:' .. ARGV[i], '-inf', past)) do
      rescue(ARGV[i], member)
    end
    redis.call('ZREMRANGEBYSCORE', R .. 'finished:' .. ARGV[i], '-inf', past)
    redis.call('ZREMRANGEBYSCORE', R .. 'failed:' .. ARGV[i], '-inf', past)
  end
end
if rescued > 0 then
  redis.call('LPUSH', P .. 'queues:bell', 1)
  redis.call('LTRIM', P .. 'queues:bell', 0, 31)
end
return rescued
