-- rules/budgets.py, in the server: reserve a part of a budget, or settle it.
-- KEYS: the account; ARGV: microseconds or "", "reserve" or "settle", reservation, amount, window, then limit and lasts
local key = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local what, name, amount, window = ARGV[2], 'r:' .. ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local length = math.ceil(window / 60)

if what == 'settle' then
  redis.call('HDEL', key, name)
  if amount > 0 then
    redis.call('HINCRBY', key, 's:' .. string.format('%.0f', math.floor(now / length)), ARGV[4])
    local lives = math.ceil((window + length) / 1000)
    if redis.call('PTTL', key) < lives then redis.call('PEXPIRE', key, lives) end
  end
  return 0
end

local limit, lasts = tonumber(ARGV[6]), tonumber(ARGV[7])
local leaves, used = {}, 0
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local field, value = all[i], all[i + 1]
  local part, over
  if field:sub(1, 2) == 's:' then
    part, over = tonumber(value), (tonumber(field:sub(3)) + 1) * length + window
  else
    local held, till = value:match('^(%d+):(%d+)$')
    part, over = tonumber(held), tonumber(till)
  end
  if over <= now or field == name then
    redis.call('HDEL', key, field)
  else
    leaves[#leaves + 1] = {over, part}
    used = used + part
  end
end
if used + amount <= limit then
  redis.call('HSET', key, name, string.format('%d:%.0f', amount, now + lasts))
  local lives = math.ceil(math.max(lasts, window + length) / 1000)
  if redis.call('PTTL', key) < lives then redis.call('PEXPIRE', key, lives) end
  return {1, limit - used - amount, 0}
end
table.sort(leaves, function(a, b) return a[1] < b[1] end)
local free, at = 0, now
for _, leaf in ipairs(leaves) do
  free = free + leaf[2]
  if used - free + amount <= limit then at = leaf[1] break end
end
return {0, math.max(0, limit - used), at - now}
