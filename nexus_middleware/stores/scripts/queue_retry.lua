-- Put failed jobs back into their queue, the oldest first, each with all of its retries; how many.
-- ARGV: RQ's prefix, our prefix, queue, time as text, retries, most at once
local R, P, queue, iso = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local moved = 0
for _, id in ipairs(redis.call('ZRANGE', R .. 'failed:' .. queue, 0, tonumber(ARGV[6]) - 1)) do
  local job = R .. 'job:' .. id
  redis.call('ZREM', R .. 'failed:' .. queue, id)
  if redis.call('EXISTS', job) == 1 then
    redis.call('HSET', job, 'status', 'queued', 'enqueued_at', iso, 'retries_left', ARGV[5])
    redis.call('HDEL', job, 'started_at', 'ended_at', 'exc_info', 'rescues')
    redis.call('PERSIST', job)
    redis.call('RPUSH', R .. 'queue:' .. queue, id)
    moved = moved + 1
  end
end
for _ = 1, math.min(moved, 31) do redis.call('LPUSH', P .. 'queues:bell', 1) end
if moved > 0 then redis.call('LTRIM', P .. 'queues:bell', 0, 31) end
return moved
