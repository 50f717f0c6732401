-- Note, for the charts, how many jobs wait in each queue and for how long the oldest: of each step the most counts.
-- ARGV: …, queues…
for i = 4, #ARGV do
  local waiting, oldest = redis.call('LLEN', R .. 'queue:' .. ARGV[i]), age(ARGV[i])
  if waiting > 0 then
    chart(ARGV[i], function(key)
      local most = redis.call('HMGET', key, 'waiting', 'oldest')
      redis.call('HSET', key, 'waiting', math.max(waiting, tonumber(most[1] or 0)),
        'oldest', math.max(math.floor(oldest * 1000), tonumber(most[2] or 0)))
    end)
  end
end
for span, life in pairs(LIVES) do -- a ring of the steps in which somebody looked: in them, no note means that none waited
  local step = math.floor(now / span)
  redis.call('HSET', P .. 'queues:looked:' .. span, step % (life / span), step)
end
return 1
