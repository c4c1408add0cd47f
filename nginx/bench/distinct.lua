-- Every request asks for a page that nobody has asked for: nothing is cached.
local number = 0
local start = os.time()
function request()
  number = number + 1
  return wrk.format("GET", wrk.path .. "?page=" .. start .. "-" .. number)
end
