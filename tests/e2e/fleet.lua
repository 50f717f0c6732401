-- For wrk: each thread has one connection, asks for the waits below in turn, and stops after the last, nothing under way.
local waits, asked, answered = {}, 0, 0

function init(args)
  for _, ms in ipairs(args) do waits[#waits + 1] = ms end
end

function request()
  asked = asked % #waits + 1
  return wrk.format("GET", "/wait/" .. waits[asked])
end

function response(status)
  answered = answered + 1
  if answered == #waits then wrk.thread:stop() end
end

function done(summary, latency, requests)
  local errors = 0
  for _, count in pairs(summary.errors) do errors = errors + count end
  local percentiles = {}
  for _, p in ipairs({50, 95, 99}) do percentiles[#percentiles + 1] = latency:percentile(p) / 1000 end
  io.write(string.format('\n[%d, %d, %.3f, %.3f, %.3f]\n', summary.requests, errors, unpack(percentiles)))
end
