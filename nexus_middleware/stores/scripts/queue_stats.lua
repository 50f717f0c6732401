-- Count, of every queue, what is in each state. It reads only, and its cost does not grow with the number of jobs.
-- ARGV: RQ's prefix, our prefix, queues…
local R, P = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local living = '(' .. string.format('%.6f', now)
local answer = {string.format('%.6f', now), redis.call('ZCOUNT', P .. 'queues:workers', living, '+inf')}
for i = 3, #ARGV do
  local queue, oldest, recent = ARGV[i], '', 0
  for _, id in ipairs(redis.call('LRANGE', R .. 'queue:' .. queue, 0, 15)) do -- those put back at the head may be younger
    local since = redis.call('HGET', R .. 'job:' .. id, 'enqueued_at')
    if since and (oldest == '' or since < oldest) then oldest = since end
  end
  for minute = math.floor(now / 60) - 5, math.floor(now / 60) - 1 do
    recent = recent + tonumber(redis.call('GET', P .. 'queues:minute:' .. queue .. ':' .. minute) or 0)
  end
  answer[#answer + 1] = {
    redis.call('LLEN', R .. 'queue:' .. queue),
    redis.call('ZCARD', R .. 'wip:' .. queue),
    redis.call('ZCARD', R .. 'finished:' .. queue),
    redis.call('ZCARD', R .. 'failed:' .. queue),
    redis.call('ZCARD', R .. 'scheduled:' .. queue),
    redis.call('ZCARD', R .. 'deferred:' .. queue),
    redis.call('ZCARD', R .. 'canceled:' .. queue),
    redis.call('SISMEMBER', P .. 'queues:paused', queue),
    redis.call('ZCOUNT', R .. 'wip:' .. queue, living, '+inf'),
    recent,
    oldest,
    redis.call('HGETALL', P .. 'queues:totals:' .. queue),
    redis.call('LRANGE', P .. 'queues:times:' .. queue, 0, 99),
  }
end
return answer
