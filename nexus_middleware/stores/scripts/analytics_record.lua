-- Count events, each once; how many were new.
-- ARGV: our prefix, then for each event: day, name, user, key ("" for none), currency ("" for none), amount, ms, 1 if a step
local P = ARGV[1] .. 'analytics:'
local SEEN, KEPT, STEPS, NAMES = 8 * 86400, 400 * 86400, 40 * 86400, 200
local touched, new = {}, 0
local function touch(key, ttl) touched[key] = ttl end
for i = 2, #ARGV, 8 do
  local day, name, user, once = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local fresh = true
  if once ~= '' then
    fresh = redis.call('SADD', P .. day .. ':seen', once) == 1
    touch(P .. day .. ':seen', SEEN)
  end
  if fresh then
    new = new + 1
    local counts = P .. day .. ':counts'
    if redis.call('HEXISTS', counts, name) == 0 and redis.call('HLEN', counts) >= NAMES then name = '(other)' end
    redis.call('HINCRBY', counts, name, 1)
    redis.call('PFADD', P .. day .. ':users', user)
    redis.call('PFADD', P .. day .. ':users:' .. name, user)
    touch(counts, KEPT)
    touch(P .. day .. ':users', KEPT)
    touch(P .. day .. ':users:' .. name, KEPT)
    if ARGV[i + 4] ~= '' then
      redis.call('HINCRBY', P .. day .. ':revenue', ARGV[i + 4], ARGV[i + 5])
      touch(P .. day .. ':revenue', KEPT)
    end
    if ARGV[i + 7] == '1' and name ~= '(other)' then
      redis.call('ZADD', P .. day .. ':step:' .. name, ARGV[i + 6], user .. ':' .. ARGV[i + 6])
      touch(P .. day .. ':step:' .. name, STEPS)
    end
  end
end
for key, ttl in pairs(touched) do
  if redis.call('TTL', key) < ttl - 3600 then redis.call('EXPIRE', key, ttl) end
end
return new
