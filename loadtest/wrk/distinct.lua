--[[ Sends each line of a file of request bodies once, in order, and counts the answers.

  wrk … --script distinct.lua URL -- BODIES THREADS

  THREADS is wrk's own number of threads, which it does not tell its scripts: thread i sends lines i, i + THREADS, …
  Each thread is a Lua state of its own; what has to cross goes through thread:set, thread:get and one shared array.
  The run ends as soon as every line has its answer. Latencies are wrk's; the seconds are measured here.
]]
local ffi = require('ffi')
ffi.cdef [[
  struct moment { long seconds, nanoseconds; };
  int clock_gettime(int clock, struct moment *now);
  int getpid(void);
  int kill(int process, int signal);
]]

local SIGINT = 2 -- wrk ends its run early, and prints its summary, on this signal
local MONOTONIC = 1 -- CLOCK_MONOTONIC of Linux
local THREADS_MAX = 256

local function seconds_now()
  local now = ffi.new('struct moment')
  ffi.C.clock_gettime(MONOTONIC, now)
  return tonumber(now.seconds) + tonumber(now.nanoseconds) / 1e9
end

-- In wrk's main state --------------------------------------------------------------------------------------------

local threads = {}
-- One flag per thread: has it got all its answers? Kept here so that it lives as long as the run.
local finished = ffi.new('int32_t[?]', THREADS_MAX)

function setup(thread)
  thread:set('number', #threads + 1)
  thread:set('finished_at', tonumber(ffi.cast('intptr_t', finished)))
  table.insert(threads, thread)
end

function done(summary)
  local by_status, sent, answered, began, ended = {}, 0, 0, math.huge, 0
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get('by_status')) do
      by_status[status] = (by_status[status] or 0) + count
    end
    sent, answered = sent + thread:get('sent'), answered + thread:get('answered')
    began, ended = math.min(began, thread:get('began')), math.max(ended, thread:get('ended'))
  end
  local statuses = {}
  for status in pairs(by_status) do table.insert(statuses, status) end
  table.sort(statuses)

  print('')
  for _, status in ipairs(statuses) do print(string.format('status %d %d', status, by_status[status])) end
  -- A 202 is accepted. A 5xx or no answer may have been: the buyer would ask again, this script does not.
  local unknown = sent - answered
  for status, count in pairs(by_status) do
    if status >= 500 then unknown = unknown + count end
  end
  print(string.format('lines sent %d answered %d', sent, answered))
  print(string.format('accepted %d', by_status[202] or 0))
  print(string.format('unknown %d', unknown))
  if ended > began then
    print(string.format('seconds %.3f answers/s %.0f', ended - began, answered / (ended - began)))
  end
  local errors = summary.errors
  print(string.format('errors connect %d read %d write %d timeout %d',
    errors.connect, errors.read, errors.write, errors.timeout))
end

-- In each thread's state; globals, because wrk and done() look for them by name -----------------------------------

by_status, sent, answered, began, ended = {}, 0, 0, math.huge, 0
local lines, following, flags, count = {}, 1, nil, 0
-- wrk calls request() of its first thread once before the run, to see what it returns, and sends nothing.
local rehearsed
-- What connections send when the lines have run out but not all answers are in: cheap, and never a 2xx of an order.
local filler

function init(args)
  local path, of = args[1], tonumber(args[2])
  assert(path and of and of <= THREADS_MAX, 'usage: … --script distinct.lua URL -- BODIES THREADS')
  count, flags = of, ffi.cast('int32_t *', finished_at)
  wrk.headers['Content-Type'] = 'application/json'
  local at = 0
  for line in io.lines(path) do
    if at % of == number - 1 then table.insert(lines, wrk.format('POST', wrk.path, nil, line)) end
    at = at + 1
  end
  filler = wrk.format('GET', '/livez')
  rehearsed = number > 1
  assert(rehearsed or #lines > 0, path .. ' has no lines')
  if #lines == 0 then flags[number - 1] = 1 end
end

function request()
  local line = lines[following]
  if not rehearsed then
    rehearsed = true
    return line
  end
  if not line then return filler end
  if sent == 0 then began = seconds_now() end
  following, sent = following + 1, sent + 1
  return line
end

function response(status)
  if status == 200 then return end -- a filler's: a purchase without `Prefer` is never answered 200
  by_status[status] = (by_status[status] or 0) + 1
  answered = answered + 1
  if answered < #lines then return end
  ended = seconds_now()
  flags[number - 1] = 1
  for thread = 0, count - 1 do
    if flags[thread] == 0 then return end
  end
  ffi.C.kill(ffi.C.getpid(), SIGINT) -- the last thread to finish ends the run, which would last its full duration
end
