-- For wrk: the paths of the command line in turn, and its figures as one line of JSON. The first argument is a number to
-- count from, put at each path's end, so that no answer is in a cache; empty: the paths as they are.
local paths, number, last = {}, nil, 0

function init(args)
   number = tonumber(args[1])
   for i = 2, #args do paths[#paths + 1] = args[i] end
   last = math.random(#paths)
end

function request()
   last = last % #paths + 1
   local path = paths[last]
   if number then
      number = number + 1
      path = path .. string.format("%d", number)
   end
   return wrk.format("GET", path)
end

function done(summary, latency, requests)
   local function ms(share) return latency:percentile(share) / 1000 end
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %.6f, "times": {"read p50": %.3f, "read p95": %.3f, "read p99": %.3f}, ' ..
      '"errors": {"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}}\n',
      summary.requests, summary.duration / 1e6, ms(50), ms(95), ms(99),
      errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
