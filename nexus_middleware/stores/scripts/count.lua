-- Count one call on every limit of its group, or on none of them; a refused group that binds stops the later ones.
-- The rules are rules/windows.py, in Lua. A ring is its total, then slots of (time, calls), oldest first: I4, then I7 I4 each.
-- KEYS: one per limit.  ARGV: now or '' for the server's clock (microseconds); then for each key in one string, since each
-- word costs the client: amount, window, cost, strategy, group, binds, as ROW.
-- The group JUDGED is only judged; with a cost of 0 that tells what is left now.
-- Returns one string, for each key as TOLD: allowed, remaining, reset, and when it was counted (0 if it was not).
-- What is refused writes nothing.
local ROW, TOLD, JUDGED = '>I8I8I8I1I2I1', '>I1I8I8I8', 65535
local SLOT = 11
local now = tonumber(ARGV[1])
local spare = now and 3600000 or 0 -- by a caller's own clock, which may stand still, keys outlive what the server's says
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function recall(s)
  s.total, s.raw, s.at, s.now = 0, redis.call('GET', s.key) or '', 5, now
  local size = #s.raw
  if size < 5 then return end
  s.total = struct.unpack('>I4', s.raw)
  local newest = struct.unpack('>I7', s.raw, size - SLOT + 1)
  if newest > now then s.now = newest end -- a clock set back, as after a failover, stands still instead
  while s.at < size do
    local time, calls = struct.unpack('>I7I4', s.raw, s.at)
    if time > s.now - s.window then break end
    s.total, s.at = s.total - calls, s.at + SLOT
  end
end

local function judge_ring(s)
  recall(s)
  local over, at, time, calls = s.total + s.cost - s.amount, s.at, nil, 0
  s.remaining = math.max(0, s.amount - s.total)
  if over <= 0 then
    s.reset = at < #s.raw and struct.unpack('>I7', s.raw, at) + s.window - s.now or 0
    return true
  end
  while over > 0 do
    time, calls = struct.unpack('>I7I4', s.raw, at)
    over, at = over - calls, at + SLOT
  end
  s.reset = time + s.window - s.now
  return false
end

local function add_ring(s)
  local grain, size, kept, calls = math.ceil(s.amount / 128), #s.raw, nil, s.cost
  kept = s.at < size and s.raw:sub(s.at) or ''
  if grain > 1 and kept ~= '' then
    local _, newest = struct.unpack('>I7I4', kept, #kept - SLOT + 1)
    if newest < grain then kept, calls = kept:sub(1, -SLOT - 1), newest + s.cost end
  end
  s.total = s.total + s.cost
  kept = kept .. struct.pack('>I7I4', s.now, calls)
  redis.call('SET', s.key, struct.pack('>I4', s.total) .. kept, 'PX', math.ceil(s.window / 1000) + spare)
  s.remaining = s.amount - s.total
  s.reset = struct.unpack('>I7', kept) + s.window - s.now
end

local function judge_gcra(s)
  local due, step = tonumber(redis.call('GET', s.key) or '0'), s.window / s.amount
  local base = math.max(due, now)
  s.due = base + step * s.cost
  if s.due - now > s.window then
    s.remaining, s.reset = math.max(0, math.floor((s.window - (base - now)) / step)), math.floor(s.due - now - s.window)
    return false
  end
  s.remaining, s.reset = math.floor((s.window - (s.due - now)) / step), math.floor(s.due - now)
  return true
end

local function add_gcra(s)
  redis.call('SET', s.key, string.format('%.17g', s.due), 'PX', math.ceil((s.due - now) / 1000) + spare)
end

local limits, refused, stop = {}, {}, JUDGED
for i, key in ipairs(KEYS) do
  local amount, window, cost, strategy, group, binds = struct.unpack(ROW, ARGV[i + 1])
  local s = { key = key, amount = amount, window = window, cost = cost, ring = strategy == 0, group = group }
  s.free = (s.ring and judge_ring or judge_gcra)(s)
  if not s.free then
    refused[s.group] = true
    if binds == 1 then stop = math.min(stop, s.group) end
  end
  limits[i] = s
end

local answers = {}
for i, s in ipairs(limits) do
  if s.group < stop and not refused[s.group] then
    (s.ring and add_ring or add_gcra)(s)
    s.noted = s.now or now
  end
  answers[i] = struct.pack(TOLD, s.free and 1 or 0, s.remaining, s.reset, s.noted or 0)
end
return table.concat(answers)
