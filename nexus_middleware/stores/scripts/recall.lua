-- Number a message, keep it among the newest, and tell it to all who listen: in one step, so that all hear them in order.
-- KEYS: the last number, the messages by number, and what is forgotten with it
-- ARGV: the message, the channel, how many messages are kept
local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[3]))
for i = 3, #KEYS do
  redis.call('UNLINK', KEYS[i])
end
redis.call('PUBLISH', ARGV[2], number .. ' ' .. ARGV[1])
return number
