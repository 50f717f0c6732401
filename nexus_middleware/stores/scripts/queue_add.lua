-- Queue jobs, all or none: now, at a time, or after other jobs. It returns {1, their ids}; or {0, the id of a job that
-- should come first and is not there}. A job whose key another one has that is not failed is not queued: that one's id.
-- ARGV: …, queue, seconds to wait or '', time as seconds or '', key or '', seconds that a key is kept, how many to wait
-- for, their ids…, then for each job: id, how many words, its fields and values…
local queue, wait, at, key, lasts, many = ARGV[4], ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local after, i, ids = {}, 10 + many, {}
for j = 10, 9 + many do
  local status = redis.call('HGET', job(ARGV[j]), 'status')
  if not status or status == 'canceled' then return {0, ARGV[j]} end
  if status ~= 'finished' then after[#after + 1] = ARGV[j] end
end
if key ~= '' then
  local first = redis.call('GET', P .. 'queues:key:' .. key)
  if first and redis.call('HGET', job(first), 'status') ~= 'failed' then return {1, {first}} end
  redis.call('SET', P .. 'queues:key:' .. key, ARGV[i], 'EX', lasts)
end
local due = (at ~= '' and tonumber(at)) or (wait ~= '' and now + tonumber(wait)) or 0

redis.call('SADD', R .. 'queues', R .. 'queue:' .. queue)
redis.call('SADD', P .. 'queues:names', queue)
while i < #ARGV do
  local id, words = ARGV[i], tonumber(ARGV[i + 1])
  redis.call('HSET', job(id), unpack(ARGV, i + 2, i + 1 + words))
  if key ~= '' then redis.call('HSET', job(id), 'key', key) end
  local request = redis.call('HGET', job(id), 'request_id')
  if request then -- the jobs of a request are found by its id: the last hundred, for eight days
    local lineage = P .. 'queues:request:' .. request
    redis.call('LPUSH', lineage, id)
    redis.call('LTRIM', lineage, 0, 99)
    redis.call('EXPIRE', lineage, 691200)
  end
  if #after > 0 then
    redis.call('HSET', job(id), 'status', 'deferred', 'not_before', stamp(due))
    redis.call('ZADD', R .. 'deferred:' .. queue, stamp(now + KEEP), id)
    redis.call('SADD', job(id) .. ':dependencies', unpack(after))
    for _, first in ipairs(after) do redis.call('SADD', job(first) .. ':dependents', id) end
  elseif due > now then
    delay(queue, id, due)
  else
    put(queue, id)
  end
  ids[#ids + 1] = id
  i = i + 2 + words
end
if #after == 0 and due <= now then ring(#ids) end
return {1, ids}
