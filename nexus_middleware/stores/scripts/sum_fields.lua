-- Add up hashes whose fields are whole numbers. It reads only.
-- KEYS: the hashes.  ARGV: how the fields end of which the greatest counts, and not the sum.
local top, sums, order = ARGV[1], {}, {}
for _, key in ipairs(KEYS) do
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    local field, value = flat[i], tonumber(flat[i + 1])
    local known = sums[field]
    if not known then
      sums[field], order[#order + 1] = value, field
    elseif field:sub(-#top) == top then
      sums[field] = math.max(known, value)
    else
      sums[field] = known + value
    end
  end
end
local answer = {}
for i, field in ipairs(order) do
  answer[2 * i - 1], answer[2 * i] = field, string.format('%.0f', sums[field])
end
return answer
