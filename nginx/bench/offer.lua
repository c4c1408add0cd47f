-- For wrk: each connection asks about once in an interval (milliseconds, the first argument), however others fare; the
-- cookie keeps the gateway's cache out of it.
local interval
function init(args)
   interval = tonumber(args[1])
   math.randomseed(os.time())
   wrk.headers["Cookie"] = "fresh=1"
end
function delay()
   return math.random() * 2 * interval
end
