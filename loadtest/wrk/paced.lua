--[[ Asks for tokens at a steady rate, each request with the next login of a file, and prints mean and p99.

  wrk … --script paced.lua URL -- LOGINS DELAY_MS

  wrk sends as fast as it is answered; a pause before each request makes a rate of it: connections / DELAY_MS, less what
  the answers take. Pauses vary by half, so that connections do not march in step. wrk's latencies do not contain them.
]]
local threads = {}

function setup(thread)
  thread:set('number', #threads)
  table.insert(threads, thread)
end

function done(summary, latency)
  local by_status = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get('by_status')) do
      by_status[status] = (by_status[status] or 0) + count
    end
  end
  local errors = summary.errors
  local other = errors.connect + errors.read + errors.write + errors.timeout
  for status, count in pairs(by_status) do
    if status ~= 201 then other = other + count end
  end
  print(string.format('PACED requests %d rate %.0f other %d mean_ms %.2f p99_ms %.2f', summary.requests,
    summary.requests / (summary.duration / 1e6), other, latency.mean / 1e3, latency:percentile(99) / 1e3))
end

by_status = {}
local requests, following, pause_ms = {}, 0, 0

function init(args)
  pause_ms = tonumber(args[2])
  wrk.headers['Content-Type'] = 'application/json'
  for login in io.lines(args[1]) do
    wrk.headers['Authorization'] = 'Bearer ' .. login
    table.insert(requests, wrk.format('POST', wrk.path, nil, '{}'))
  end
  assert(#requests > 0 and pause_ms, 'usage: … --script paced.lua URL -- LOGINS DELAY_MS')
  math.randomseed(number + 1)
  following = math.random(#requests)
end

function delay()
  return math.floor(pause_ms * (0.5 + math.random()))
end

function request()
  following = following % #requests + 1
  return requests[following]
end

function response(status)
  by_status[status] = (by_status[status] or 0) + 1
end
