-- Note that a process counts here, and say how many did lately, by the server's clock.
-- KEYS: the set of processes.  ARGV: this process, and the seconds after which one that has said nothing is gone.
local now = redis.call('TIME')[1]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2] * 2)
return redis.call('ZCARD', KEYS[1])
