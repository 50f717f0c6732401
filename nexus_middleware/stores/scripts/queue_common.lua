-- What the scripts of the queues share. Before it, the ledger sets KEEP (seconds that ended jobs are kept), KEPT_DONE
-- and KEPT_FAILED (how many of a queue), RETRIES, RESCUES and HOLD (seconds a claim lasts without a heartbeat).
-- ARGV begins with RQ's prefix, our prefix, and the present as RQ writes it.
local R, P, iso = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local forget -- `keep` and it need one another

local function stamp(seconds) return string.format('%.6f', seconds) end

local function job(id) return R .. 'job:' .. id end

local function ring(times)
  if times <= 0 then return end
  for _ = 1, math.min(times, 31) do redis.call('LPUSH', P .. 'queues:bell', 1) end
  redis.call('LTRIM', P .. 'queues:bell', 0, 31)
end

local function put(queue, id, head)
  redis.call('HSET', job(id), 'status', 'queued', 'enqueued_at', iso, 'since', stamp(now))
  redis.call(head and 'LPUSH' or 'RPUSH', R .. 'queue:' .. queue, id)
end

local function delay(queue, id, due)
  redis.call('HSET', job(id), 'status', 'scheduled')
  redis.call('ZADD', R .. 'scheduled:' .. queue, stamp(due), id)
end

-- The charts: what is kept by the minute for 7 hours, and by the hour for 31 days. `write` is given a key of each.
local LIVES = {[60] = 25200, [3600] = 2678400}

local function chart(queue, write)
  for span, life in pairs(LIVES) do
    local key = P .. 'queues:every:' .. span .. ':' .. queue .. ':' .. math.floor(now / span)
    write(key)
    redis.call('EXPIRE', key, life)
  end
end

local function tally(queue, fields)
  chart(queue, function(key)
    for _, field in ipairs(fields) do redis.call('HINCRBY', key, field, 1) end
  end)
end

-- The seconds that the oldest job of a queue has waited; 0 if none waits.
local function age(queue)
  local oldest = now
  for _, id in ipairs(redis.call('LRANGE', R .. 'queue:' .. queue, 0, 15)) do -- those put back at the head may be younger
    oldest = math.min(oldest, tonumber(redis.call('HGET', job(id), 'since') or now))
  end
  return now - oldest
end

local function count(queue, field)
  redis.call('HINCRBY', P .. 'queues:totals:' .. queue, field, 1)
end

-- Keep an ended job, and forget the oldest of its queue that are too many.
local function keep(registry, id, most)
  redis.call('ZADD', registry, stamp(now + KEEP), id)
  redis.call('EXPIRE', job(id), KEEP)
  local over = redis.call('ZCARD', registry) - most
  if over <= 0 then return end
  for _, old in ipairs(redis.call('ZRANGE', registry, 0, over - 1)) do
    redis.call('ZREM', registry, old)
    forget(old)
  end
end

-- Tell the schedule that a job came from how it ended. `origin`: the job's status, schedule and slot.
local function tell(origin, id, outcome, times)
  if not origin[2] then return end
  local runs = P .. 'queues:runs:' .. origin[2]
  redis.call('LPUSH', runs, cjson.encode({id = id, slot = origin[3], outcome = outcome, ended = iso, times = times}))
  redis.call('LTRIM', runs, 0, 19)
end

local function fail(queue, id, text, times)
  tell(redis.call('HMGET', job(id), 'status', 'schedule', 'slot'), id, 'failed', times or '')
  redis.call('HSET', job(id), 'status', 'failed', 'ended_at', iso, 'exc_info', text)
  count(queue, 'failed')
  tally(queue, {'failed'})
  keep(R .. 'failed:' .. queue, id, KEPT_FAILED)
end

-- Delete a job. Those that wait for it fail, unless it was done; its key may be used again, unless it was done.
forget = function(id)
  local known = redis.call('HMGET', job(id), 'status', 'key', 'request_id')
  local waiting = redis.call('SMEMBERS', job(id) .. ':dependents')
  if known[2] and known[1] ~= 'finished' and redis.call('GET', P .. 'queues:key:' .. known[2]) == id then
    redis.call('UNLINK', P .. 'queues:key:' .. known[2])
  end
  if known[3] then redis.call('LREM', P .. 'queues:request:' .. known[3], 1, id) end
  redis.call('UNLINK', job(id), job(id) .. ':dependents', job(id) .. ':dependencies')
  for _, other in ipairs(waiting) do
    local queue = redis.call('HGET', job(other), 'origin')
    if queue and redis.call('ZREM', R .. 'deferred:' .. queue, other) == 1 then
      redis.call('UNLINK', job(other) .. ':dependencies')
      fail(queue, other, 'The job that it waits for was deleted: ' .. id)
    end
  end
end

-- Note what became of one run: at most ten lines of JSON, the newest last.
local function note(id, line)
  local told = redis.call('HGET', job(id), 'attempts')
  local lines = {}
  for each in string.gmatch(told or '', '[^\n]+') do lines[#lines + 1] = each end
  lines[#lines + 1] = line
  redis.call('HSET', job(id), 'attempts', table.concat(lines, '\n', math.max(1, #lines - 9)))
end

-- Put a job back at the head of its queue whose run was cut off; one that was too often is failed. How many it was.
-- It is fetched before what waits in any other queue: it was begun once already, and there are never many.
local function rescue(queue, member, why)
  local id = string.match(member, '^[^:]+')
  if redis.call('ZREM', R .. 'wip:' .. queue, member) == 0 or redis.call('EXISTS', job(id)) == 0 then return 0 end
  local by, began = unpack(redis.call('HMGET', job(id), 'worker_name', 'started_at'))
  why = why == '' and '.' or ': ' .. why
  note(id, cjson.encode({outcome = 'rescued', worker = by, startedAt = began, endedAt = iso,
    error = 'The worker died while it ran this job' .. why}))
  if redis.call('HINCRBY', job(id), 'rescues', 1) > RESCUES then
    fail(queue, id, 'The worker died ' .. (RESCUES + 1) .. ' times while it ran this job' .. why)
  else
    count(queue, 'rescued')
    redis.call('HSET', job(id), 'status', 'queued')
    redis.call('LPUSH', R .. 'queue:' .. queue, id)
    redis.call('SADD', P .. 'queues:rescued', queue)
  end
  return 1
end
