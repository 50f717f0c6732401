-- Put failed or canceled jobs back into their queue, each with all of its retries; how many.
-- ARGV: …, queue, most at once, then ids… or none for the oldest failed ones
local queue, ids, moved = ARGV[4], {unpack(ARGV, 6)}, 0
if #ids == 0 then ids = redis.call('ZRANGE', R .. 'failed:' .. queue, 0, tonumber(ARGV[5]) - 1) end
for _, id in ipairs(ids) do
  local was = redis.call('ZREM', R .. 'failed:' .. queue, id) + redis.call('ZREM', R .. 'canceled:' .. queue, id)
  if was > 0 and redis.call('EXISTS', job(id)) == 1 then
    redis.call('HSET', job(id), 'retries_left', RETRIES)
    redis.call('HDEL', job(id), 'started_at', 'ended_at', 'exc_info', 'rescues', 'cancel', 'progress')
    redis.call('PERSIST', job(id))
    put(queue, id)
    moved = moved + 1
  end
end
ring(moved)
return moved
