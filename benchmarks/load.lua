-- What wrk sends and how it judges: `wrk -s load.lua URL -- FILE METHOD STATUS MARKER [NAME=VALUE...]`.
-- FILE holds one request a line (target, TAB, body); an answer is right when it has STATUS and holds MARKER, shed when it
-- is a 503 with Retry-After, else wrong. The last line of the output is one JSON object (benchmarks/load.py reads it).

local requests, at = {}, 0
local expected, marker
local threads = {}
right, shed, wrong, first_wrong = 0, 0, 0, ""

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local method = args[2]
  expected, marker = tonumber(args[3]), args[4]
  for i = 5, #args do
    local name, value = args[i]:match("^([^=]+)=(.*)$")
    wrk.headers[name] = value
  end
  for line in io.lines(args[1]) do
    local target, body = line:match("^([^\t]*)\t(.*)$")
    if body == "" then body = nil end
    requests[#requests + 1] = wrk.format(method, target, nil, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function response(status, headers, body)
  if status == expected and body:find(marker, 1, true) then
    right = right + 1
  elseif status == 503 and (headers["Retry-After"] or headers["retry-after"]) then
    shed = shed + 1
  else
    if wrong == 0 then first_wrong = status .. " " .. body:sub(1, 200) end
    wrong = wrong + 1
  end
end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

function done(summary, latency)
  local sum = {right = 0, shed = 0, wrong = 0}
  local example = ""
  for _, thread in ipairs(threads) do
    for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
    if example == "" then example = thread:get("first_wrong") end
  end
  local e = summary.errors
  io.write(string.format(
    '{"seconds": %f, "right": %d, "shed": %d, "wrong": %d, "lost": %d, "p50_ms": %f, "p99_ms": %f, "example": %s}\n',
    summary.duration / 1e6, sum.right, sum.shed, sum.wrong, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, quoted(example)))
end
