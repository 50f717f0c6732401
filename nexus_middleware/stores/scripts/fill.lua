-- Keep a value if the lease on it is still held by the one who made it, and end the lease.
-- KEYS: the value's; the lease's. ARGV: the value, its ms to live or '' for good, the holder.
if redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
redis.call('UNLINK', KEYS[2])
if ARGV[2] == '' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 1
