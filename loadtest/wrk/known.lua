--[[ A few buyers who press again and again, at a steady pace.

  wrk --threads 1 --connections N … --script known.lua URL -- BODIES PAUSE_MS

  Each connection waits PAUSE_MS before it sends the next line. Prints one line: requests, 429s, errors (no answer, 5xx,
  or a code that a known buyer cannot get), p50 and p99 in milliseconds. ]]
local lines, at = {}, 0
answered, limited, errors = 0, 0, 0
local pause

function setup(thread) known = thread end

function init(args)
  pause = tonumber(args[2])
  wrk.headers['Content-Type'] = 'application/json'
  for line in io.lines(args[1]) do lines[#lines + 1] = wrk.format('POST', wrk.path, nil, line) end
end

function delay() return pause end

function request()
  at = at % #lines + 1
  return lines[at]
end

function response(status)
  answered = answered + 1
  -- Theirs, sold out, or their allowance is used: answers. Anything else is our fault.
  if status == 429 then limited = limited + 1
  elseif status ~= 202 and status ~= 409 then errors = errors + 1 end
end

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format('known requests %d limited %d errors %d p50_ms %.2f p99_ms %.2f max_ms %.2f',
    known:get('answered'), known:get('limited'), known:get('errors') + failed,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000))
end
