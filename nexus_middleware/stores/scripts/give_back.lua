-- Forget calls that count.lua has counted. The rules are `give_back` and `unspent` of rules/windows.py, in Lua.
-- KEYS: one per limit.  ARGV: now or '' for the server's clock (microseconds); then amount, window, cost, strategy, at, reset.
local SLOT = 11
local now = tonumber(ARGV[1])
local spare = now and 3600000 or 0 -- as in count.lua
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local function back_ring(key, raw, cost, at, exact)
  local total, slot = struct.unpack('>I4', raw), 5
  while slot < #raw and struct.unpack('>I7', raw, slot) < at do slot = slot + SLOT end
  if slot > #raw then return end
  local time, calls = struct.unpack('>I7I4', raw, slot)
  if exact and time ~= at then return end -- the ring that it was in is gone
  local given = math.min(cost, calls)
  local kept = given < calls and struct.pack('>I7I4', time, calls - given) or ''
  local slots = raw:sub(5, slot - 1) .. kept .. raw:sub(slot + SLOT)
  if slots == '' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, struct.pack('>I4', total - given) .. slots, 'KEEPTTL')
  end
end

local function back_gcra(key, raw, share, left)
  local due = tonumber(raw) - math.max(0, math.min(share, left))
  if due > now then
    redis.call('SET', key, string.format('%.17g', due), 'PX', math.ceil((due - now) / 1000) + spare)
  else
    redis.call('DEL', key)
  end
end

for i, key in ipairs(KEYS) do
  local n = 6 * i - 4
  local amount, window, cost, at = tonumber(ARGV[n]), tonumber(ARGV[n + 1]), tonumber(ARGV[n + 2]), tonumber(ARGV[n + 4])
  local raw = redis.call('GET', key)
  if raw and ARGV[n + 3] == '0' then
    if at > now - window then back_ring(key, raw, cost, at, amount <= 128) end
  elseif raw then
    back_gcra(key, raw, window / amount * cost, at + tonumber(ARGV[n + 5]) - now)
  end
end
