-- Take the first job of the first queue that is not paused and whose turn it is, and note who runs it, in one step:
-- there is no moment in which a job is in neither its queue nor among the started ones. It returns queue, id, seconds
-- waited and the job; or, as text, the seconds after which a queue with a rate may be asked again.
-- ARGV: …, worker, execution, queues…
local worker, execution = ARGV[4], ARGV[5]
local paused = redis.call('SMISMEMBER', P .. 'queues:paused', unpack(ARGV, 6))
local gaps = redis.call('HMGET', P .. 'queues:rates', unpack(ARGV, 6))
local rescued = redis.call('SMISMEMBER', P .. 'queues:rescued', unpack(ARGV, 6)) -- queues with such a job at their head
local soonest = 60

local function take(queue)
  local id = redis.call('LPOP', R .. 'queue:' .. queue)
  while id and redis.call('EXISTS', job(id)) == 0 do -- it was deleted while it waited
    id = redis.call('LPOP', R .. 'queue:' .. queue)
  end
  return id
end

local function try(i)
  local queue, gap = ARGV[i], tonumber(gaps[i - 5] or 0)
  local turn = gap > 0 and tonumber(redis.call('GET', P .. 'queues:turn:' .. queue) or 0) or 0
  if turn > now then
    if redis.call('LLEN', R .. 'queue:' .. queue) > 0 then soonest = math.min(soonest, turn - now) end
    return
  end
  local id = paused[i - 5] == 0 and take(queue)
  if not id then return end
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

for i = 6, #ARGV do
  if rescued[i - 5] == 1 then
    local head = redis.call('LINDEX', R .. 'queue:' .. ARGV[i], 0)
    if head and redis.call('HEXISTS', job(head), 'rescues') == 1 then
      local found = try(i)
      if found then return found end
    else
      redis.call('SREM', P .. 'queues:rescued', ARGV[i])
    end
  end
end
for i = 6, #ARGV do
  local found = try(i)
  if found then return found end
end
return stamp(soonest)
