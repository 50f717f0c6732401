-- Put jobs whose time has come at the head of their queue; how many, and the seconds until the next.
-- ARGV: RQ's prefix, our prefix, time as text, queues…
local R, P, iso = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local moved, soonest = 0, 60
for i = 4, #ARGV do
  local scheduled = R .. 'scheduled:' .. ARGV[i]
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', string.format('%.6f', now), 'LIMIT', 0, 500)) do
    redis.call('ZREM', scheduled, id)
    if redis.call('EXISTS', R .. 'job:' .. id) == 1 then
      redis.call('HSET', R .. 'job:' .. id, 'status', 'queued', 'enqueued_at', iso)
      redis.call('LPUSH', R .. 'queue:' .. ARGV[i], id)
      moved = moved + 1
    end
  end
  local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
  if first[2] then soonest = math.min(soonest, math.max(0, tonumber(first[2]) - now)) end
end
for _ = 1, math.min(moved, 31) do redis.call('LPUSH', P .. 'queues:bell', 1) end
if moved > 0 then redis.call('LTRIM', P .. 'queues:bell', 0, 31) end
return {moved, string.format('%.6f', soonest)}
