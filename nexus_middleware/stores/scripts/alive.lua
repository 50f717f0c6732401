-- Note that a process counts here, say how many did lately, and for how long that has been told without a gap.
-- After a gap, or where the data was lost, those who have not spoken again yet are no sign that they are gone.
-- KEYS: the set of processes, since when they tell.  ARGV: now or '' for the server's clock (microseconds); this process;
-- the seconds after which one that has said nothing is gone.
local now, gone = tonumber(ARGV[1]), tonumber(ARGV[3])
local time = not now and redis.call('TIME')
now = now and now / 1000000 or time[1] + time[2] / 1000000

local last, since = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2], tonumber(redis.call('GET', KEYS[2]) or now)
if not last or now - last > 0.7 * gone then since = now end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - gone)
redis.call('EXPIRE', KEYS[1], gone * 2)
redis.call('SET', KEYS[2], string.format('%.6f', since), 'EX', gone * 2)
return { redis.call('ZCARD', KEYS[1]), math.floor(now - since) }
