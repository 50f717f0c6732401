-- Count what a process tells, once, however often it tells it: the numbers of its tellings rise.
-- KEYS: where its last number is; then the hashes of every row.
-- ARGV: number, ms for which it is remembered; then for each row: how many hashes, for each its ms to live or '' for
-- good; how many fields to add to, for each its name and amount; how many to raise, for each its name and least.
local number = tonumber(ARGV[1])
if number <= tonumber(redis.call('GET', KEYS[1]) or 0) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local at, first = 3, 2

local function pairs_from(start)
  local count = tonumber(ARGV[start])
  return start + 1, start + 2 * count
end

while at <= #ARGV do
  local hashes = tonumber(ARGV[at])
  local adds, adds_end = pairs_from(at + hashes + 1)
  local tops, tops_end = pairs_from(adds_end + 1)
  for h = 1, hashes do
    local key, life = KEYS[first + h - 1], ARGV[at + h]
    for i = adds, adds_end, 2 do redis.call('HINCRBY', key, ARGV[i], ARGV[i + 1]) end
    for i = tops, tops_end, 2 do
      local is = tonumber(redis.call('HGET', key, ARGV[i]) or 0)
      if is < tonumber(ARGV[i + 1]) then redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
    end
    if life ~= '' then redis.call('PEXPIRE', key, life) end
  end
  first, at = first + hashes, tops_end + 1
end
return 1
