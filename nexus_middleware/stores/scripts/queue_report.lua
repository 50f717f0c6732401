-- Note how far a run is, unless the job was deleted or is another's by now.
-- ARGV: …, queue, member, progress as JSON
local id = string.match(ARGV[5], '^[^:]+')
if redis.call('ZSCORE', R .. 'wip:' .. ARGV[4], ARGV[5]) and redis.call('EXISTS', job(id)) == 1 then
  redis.call('HSET', job(id), 'progress', ARGV[6])
end
return 1
