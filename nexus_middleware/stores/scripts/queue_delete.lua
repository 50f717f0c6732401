-- Delete jobs that do not run; how many.
-- ARGV: …, ids…
local gone = 0
for i = 4, #ARGV do
  local id = ARGV[i]
  local status, queue = unpack(redis.call('HMGET', job(id), 'status', 'origin'))
  if status and status ~= 'started' then
    redis.call('LREM', R .. 'queue:' .. queue, 1, id)
    for _, registry in ipairs({'finished:', 'failed:', 'scheduled:', 'deferred:', 'canceled:'}) do
      redis.call('ZREM', R .. registry .. queue, id)
    end
    forget(id)
    gone = gone + 1
  end
end
return gone
