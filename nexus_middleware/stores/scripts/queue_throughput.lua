-- Add up, for every queue, what was done and what failed in each of the last steps, as JSON; the last step is not over.
-- It reads only, and its cost does not grow with the number of jobs.
-- ARGV: …, seconds by which the charts are kept (60 or 3600), how many of those make a step, how many steps, queues…
local span, each, steps = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local first, rows = math.floor(now / span) - each * steps + 1, {}
for i = 7, #ARGV do
  local done, failed = {}, {}
  for n = 1, steps do
    local begin = first + (n - 1) * each
    done[n], failed[n] = 0, 0
    for slot = begin, begin + each - 1 do
      local ended = redis.call('HMGET', P .. 'queues:every:' .. span .. ':' .. ARGV[i] .. ':' .. slot, 'done', 'failed')
      done[n], failed[n] = done[n] + tonumber(ended[1] or 0), failed[n] + tonumber(ended[2] or 0)
    end
  end
  rows[#rows + 1] = {done, failed}
end
return cjson.encode({first * span, rows})
