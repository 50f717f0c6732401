-- Add calls that were counted elsewhere while the server was away. The rules are `tell` and `told` of rules/windows.py, in Lua.
-- KEYS: one per limit.  ARGV: now or '' for the server's clock (microseconds); then amount, window, strategy, n, and n times
-- (age, calls), oldest first, for each key.
local SLOT, SLOTS = 11, 128
local now, n = tonumber(ARGV[1]), 2
local spare = now and 3600000 or 0 -- as in count.lua
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function next_number()
  n = n + 1
  return tonumber(ARGV[n - 1])
end

local function tell_ring(key, window, told)
  local raw, slots, total = redis.call('GET', key) or '', {}, 0
  for at = 5, #raw - SLOT + 1, SLOT do
    local time, calls = struct.unpack('>I7I4', raw, at)
    if time > now - window then slots[#slots + 1] = { time, calls } end
  end
  for _, each in ipairs(told) do
    local at = #slots
    while at > 0 and slots[at][1] > each[1] do at = at - 1 end
    if each[1] > now - window then table.insert(slots, at + 1, each) end
  end
  local first = 1
  while #slots - first >= SLOTS do
    slots[first + 1][2] = slots[first + 1][2] + slots[first][2]
    first = first + 1
  end
  local parts = {}
  for at = first, #slots do
    total = total + slots[at][2]
    parts[#parts + 1] = struct.pack('>I7I4', slots[at][1], slots[at][2])
  end
  if total > 0 then
    redis.call('SET', key, struct.pack('>I4', total) .. table.concat(parts), 'PX', math.ceil(window / 1000) + spare)
  end
end

local function tell_gcra(key, amount, window, told)
  local step, late = window / amount, 0
  for _, each in ipairs(told) do late = math.max(late, each[1]) + step * each[2] end
  local due = math.max(tonumber(redis.call('GET', key) or '0'), now) + math.max(0, late - now)
  if due > now then redis.call('SET', key, string.format('%.17g', due), 'PX', math.ceil((due - now) / 1000) + spare) end
end

for _, key in ipairs(KEYS) do
  local amount, window, strategy, size, told = next_number(), next_number(), next_number(), next_number(), {}
  for i = 1, size do told[i] = { now - next_number(), next_number() } end
  if strategy == 0 then tell_ring(key, window, told) else tell_gcra(key, amount, window, told) end
end
