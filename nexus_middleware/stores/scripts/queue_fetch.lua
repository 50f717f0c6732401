-- Take the first job of the first queue that is not paused and whose turn it is, and note who runs it, in one step:
-- there is no moment in which a job is in neither its queue nor among the started ones. It returns queue, id, seconds
-- waited and the job; or, as text, the seconds after which a queue with a rate may be asked again.
-- ARGV: …, worker, execution, queues…
local worker, execution = ARGV[4], ARGV[5]
local paused = redis.call('SMISMEMBER', P .. 'queues:paused', unpack(ARGV, 6))
local gaps = redis.call('HMGET', P .. 'queues:rates', unpack(ARGV, 6))
local soonest = 60

local function take(queue)
  local id = redis.call('LPOP', R .. 'queue:' .. queue)
  while id and redis.call('EXISTS', job(id)) == 0 do -- it was deleted while it waited
    id = redis.call('LPOP', R .. 'queue:' .. queue)
  end
  return id
end

for i = 6, #ARGV do
  local queue, gap = ARGV[i], tonumber(gaps[i - 5] or 0)
  local turn = gap > 0 and tonumber(redis.call('GET', P .. 'queues:turn:' .. queue) or 0) or 0
  local id = paused[i - 5] == 0 and turn <= now and take(queue)
  if id then
    if gap > 0 then redis.call('SET', P .. 'queues:turn:' .. queue, stamp(now + gap), 'EX', math.ceil(gap) + 1) end
    local member, own = id .. ':' .. execution, P .. 'queues:worker:' .. worker
    redis.call('ZADD', R .. 'wip:' .. queue, stamp(now + HOLD), member)
    redis.call('HSET', job(id), 'status', 'started', 'started_at', iso, 'worker_name', worker, 'last_heartbeat', iso)
    redis.call('HSET', own, 'queue', queue, 'member', member, 'since', iso)
    redis.call('EXPIRE', own, HOLD + 300)
    local fields = redis.call('HGETALL', job(id))
    local since = redis.call('HGET', job(id), 'since')
    return {queue, id, stamp(now - tonumber(since or now)), fields}
  end
  if turn > now and redis.call('LLEN', R .. 'queue:' .. queue) > 0 then soonest = math.min(soonest, turn - now) end
end
return stamp(soonest)
