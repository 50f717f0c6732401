-- Delete jobs that wait or are delayed, as many as asked at once; how many there were. Those that run are left alone.
-- ARGV: …, queue, most at once
local queue, most = ARGV[4], tonumber(ARGV[5])
local ids = redis.call('LRANGE', R .. 'queue:' .. queue, 0, most - 1)
redis.call('LTRIM', R .. 'queue:' .. queue, #ids, -1)
if #ids < most then
  for _, id in ipairs(redis.call('ZRANGE', R .. 'scheduled:' .. queue, 0, most - #ids - 1)) do
    redis.call('ZREM', R .. 'scheduled:' .. queue, id)
    ids[#ids + 1] = id
  end
end
for _, id in ipairs(ids) do forget(id) end
return #ids
