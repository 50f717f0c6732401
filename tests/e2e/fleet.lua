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

function done(summary, latency)
  local errors = 0
  for _, count in pairs(summary.errors) do errors = errors + count end
  io.write(string.format("\n%d %d", summary.requests, errors))
  for i = 1, #latency do
    local microseconds, count = latency(i)
    io.write(string.format(" %d*%d", microseconds, count))
  end
  io.write("\n")
end
