-- Count, of every queue, what is in each state, as JSON. It reads only, and its cost does not grow with the number of
-- jobs.
-- ARGV: …, queues…
local living, rows = '(' .. stamp(now), {}
local minute = math.floor(now / 60)
for i = 4, #ARGV do
  local queue, oldest, recent = ARGV[i], false, 0
  for _, id in ipairs(redis.call('LRANGE', R .. 'queue:' .. queue, 0, 15)) do -- those put back at the head may be younger
    local since = tonumber(redis.call('HGET', job(id), 'since') or now)
    if not oldest or since < oldest then oldest = since end
  end
  for each = minute - 5, minute - 1 do
    recent = recent + tonumber(redis.call('HGET', P .. 'queues:every:60:' .. queue .. ':' .. each, 'done') or 0)
  end
  rows[#rows + 1] = {
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
    oldest and math.max(0, now - oldest) or 0,
    redis.call('HMGET', P .. 'queues:totals:' .. queue, 'completed', 'failed', 'retried', 'rescued'),
    table.concat(redis.call('LRANGE', P .. 'queues:times:' .. queue, 0, 99), ' '),
  }
end
return cjson.encode({redis.call('ZCOUNT', P .. 'queues:workers', living, '+inf'), rows})
