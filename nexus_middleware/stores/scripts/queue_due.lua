-- Put jobs whose time has come at the head of their queue; how many, the seconds until the next, the server's time, and
-- the names of the schedules that are due.
-- ARGV: …, queues…
local moved, soonest = 0, 60
for i = 4, #ARGV do
  local scheduled = R .. 'scheduled:' .. ARGV[i]
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', scheduled, '-inf', stamp(now), 'LIMIT', 0, 500)) do
    redis.call('ZREM', scheduled, id)
    if redis.call('EXISTS', job(id)) == 1 then
      put(ARGV[i], id, true)
      moved = moved + 1
    end
  end
  local first = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
  if first[2] then soonest = math.min(soonest, math.max(0, tonumber(first[2]) - now)) end
end
ring(moved)
return {moved, stamp(soonest), stamp(now), redis.call('ZRANGEBYSCORE', P .. 'queues:next', '-inf', stamp(now))}
