-- One user's inbox: a stream of the newest messages, and which of them were read.
-- KEYS: stream, marks; ARGV: what to do, then its arguments
local stream, marks, what = KEYS[1], KEYS[2], ARGV[1]

-- "0" or the id up to which all was read; single ids above it are fields of their own
local function upto() return redis.call('HGET', marks, 'upto') or '0-0' end
local function unread()
  local list = {}
  for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. upto(), '+')) do
    if redis.call('HEXISTS', marks, entry[1]) == 0 then list[#list + 1] = entry[1] end
  end
  return list
end

local function older(id, than)
  local ms, n = id:match('^(%d+)-(%d+)$')
  local other, k = than:match('^(%d+)-(%d+)$')
  return tonumber(ms) < tonumber(other) or (ms == other and tonumber(n) < tonumber(k))
end

if what == 'add' then -- "once:…" or "", most messages, seconds that an inbox is kept, fields …
  if ARGV[2] ~= '' and redis.call('HEXISTS', marks, ARGV[2]) == 1 then return false end
  local id = redis.call('XADD', stream, 'MAXLEN', ARGV[3], '*', unpack(ARGV, 5))
  if ARGV[2] ~= '' then redis.call('HSET', marks, ARGV[2], id) end
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1]
  local all = redis.call('HGETALL', marks)
  for i = 1, #all, 2 do -- forget what was noted of messages that are gone
    local field = all[i]
    local about = field:sub(1, 5) == 'once:' and all[i + 1] or field
    if field ~= 'upto' and older(about, oldest) then redis.call('HDEL', marks, field) end
  end
  redis.call('EXPIRE', stream, ARGV[4])
  redis.call('EXPIRE', marks, ARGV[4])
  return id
end
if what == 'read' then -- ids; how many were unread
  local count = 0
  for i = 2, #ARGV do
    local there = #redis.call('XRANGE', stream, ARGV[i], ARGV[i], 'COUNT', 1) == 1
    local after = #redis.call('XRANGE', stream, '(' .. upto(), ARGV[i], 'COUNT', 1) == 1
    if there and after then count = count + redis.call('HSETNX', marks, ARGV[i], '1') end
  end
  return count
end
if what == 'read_all' then
  local list = unread()
  if #list > 0 then redis.call('HSET', marks, 'upto', list[#list]) end
  return #list
end
if what == 'unread' then return #unread() end
if what == 'list' then -- before ("+" for the newest), count
  local before = ARGV[2] == '+' and '+' or '(' .. ARGV[2]
  local new, rows = {}, {}
  for _, id in ipairs(unread()) do new[id] = true end
  for _, entry in ipairs(redis.call('XREVRANGE', stream, before, '-', 'COUNT', ARGV[3])) do
    rows[#rows + 1] = {entry[1], entry[2], new[entry[1]] and 0 or 1}
  end
  return rows
end
return redis.error_reply('inbox.lua does not know ' .. what)
