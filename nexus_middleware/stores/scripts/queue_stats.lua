-- Tell which queues each live worker serves, and count, of every queue, what is in each state, as JSON. It reads only,
-- and its cost does not grow with the number of jobs.
-- ARGV: …, queues…
local living, rows, served = '(' .. stamp(now), {}, {}
local minute = math.floor(now / 60)
for i = 4, #ARGV do
  local queue, recent = ARGV[i], 0
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
    age(queue),
    redis.call('HMGET', P .. 'queues:totals:' .. queue, 'completed', 'failed', 'retried', 'rescued'),
    table.concat(redis.call('LRANGE', P .. 'queues:times:' .. queue, 0, 99), ' '),
  }
end
for n, name in ipairs(redis.call('ZRANGEBYSCORE', P .. 'queues:workers', living, '+inf')) do
  served[n] = redis.call('HGET', P .. 'queues:worker:' .. name, 'queues') or ''
end
return cjson.encode({served, rows})
