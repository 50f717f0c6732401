-- Take the first job of the first queue that is not paused, and note who runs it, in one step:
-- there is no moment in which a job is in neither its queue nor among the started ones.
-- ARGV: RQ's prefix, our prefix, worker, execution, seconds the claim holds without a heartbeat, time as text, queues…
local R, P, worker, execution, hold, iso = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
for i = 7, #ARGV do
  local queue = ARGV[i]
  if redis.call('SISMEMBER', P .. 'queues:paused', queue) == 0 then
    local id = redis.call('LPOP', R .. 'queue:' .. queue)
    while id do
      local job = R .. 'job:' .. id
      if redis.call('EXISTS', job) == 1 then -- else it was deleted while it waited
        local member = id .. ':' .. execution
        redis.call('ZADD', R .. 'wip:' .. queue, string.format('%.6f', now + hold), member)
        redis.call('HSET', job, 'status', 'started', 'started_at', iso, 'worker_name', worker, 'last_heartbeat', iso)
        redis.call('HSET', P .. 'queues:worker:' .. worker, 'queue', queue, 'member', member, 'since', iso)
        redis.call('EXPIRE', P .. 'queues:worker:' .. worker, math.ceil(hold))
        return {queue, id, redis.call('HGETALL', job)}
      end
      id = redis.call('LPOP', R .. 'queue:' .. queue)
    end
  end
end
return false
