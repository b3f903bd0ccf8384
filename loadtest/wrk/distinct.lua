--[[ Sends each line of a file once and counts the answers.

  wrk … --script distinct.lua URL -- FILE THREADS [KIND]

  KIND says what a line is: `body` (the default; POSTed to URL), `path` (GET), or `login` (a bearer token; POST with {}).
  THREADS is wrk's own number of threads, which it does not tell its scripts: each reads its own part of the file, as it goes,
  so that a million lines take no memory and the last is as cheap as the first.
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
local REALTIME, MONOTONIC = 0, 1 -- Linux' names of its clocks
local THREADS_MAX = 256

local function seconds_now(clock)
  local now = ffi.new('struct moment')
  ffi.C.clock_gettime(clock, now)
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

function done(summary, latency)
  local by_status, sent, answered, began, ended, begun_at = {}, 0, 0, math.huge, 0, math.huge
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get('by_status')) do
      by_status[status] = (by_status[status] or 0) + count
    end
    sent, answered = sent + thread:get('sent'), answered + thread:get('answered')
    began, ended = math.min(began, thread:get('began')), math.max(ended, thread:get('ended'))
    begun_at = math.min(begun_at, thread:get('begun_at'))
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
    print(string.format('began %.3f', begun_at)) -- seconds since 1970, for whoever measures how long the work went on
  end
  print(string.format('latency_ms p50 %.3f p99 %.3f p99.9 %.3f max %.3f', latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
  local errors = summary.errors
  print(string.format('errors connect %d read %d write %d timeout %d',
    errors.connect, errors.read, errors.write, errors.timeout))
end

-- In each thread's state; globals, because wrk and done() look for them by name -----------------------------------

by_status, sent, answered, began, ended, begun_at = {}, 0, 0, math.huge, 0, math.huge
local file, left, flags, count -- `left`: bytes of this thread's part that are not read yet
local following, exhausted
-- wrk calls request() of its first thread once before the run, to see what it returns, and sends nothing.
local rehearsed
-- What connections send when the lines have run out but not all answers are in: wrk then waits for an answer that it does
-- not count, and the last answers are not hurried by quick ones.
local NOTHING = ''

-- The requests of a kind: what comes before a line, by its length, and what comes after it.
local function split(request, mark)
  local from, to = request:find(mark, 1, true)
  return request:sub(1, from - 1), request:sub(to + 1)
end

local heads, tails = {}, {}
local function around(length, kind)
  local mark = string.rep('~', length)
  local request
  if kind == 'body' then
    request = wrk.format('POST', wrk.path, nil, mark)
  elseif kind == 'path' then
    request = wrk.format('GET', mark)
  else
    wrk.headers['Authorization'] = 'Bearer ' .. mark
    request = wrk.format('POST', wrk.path, nil, '{}')
  end
  heads[length], tails[length] = split(request, mark)
end

local kind
local function read()
  local line = left > 0 and file:read('*l')
  if not line then
    exhausted = true
    return nil
  end
  local length = #line
  left = left - length - 1
  if not heads[length] then around(length, kind) end
  return heads[length] .. line .. tails[length]
end

function init(args)
  local path, of = args[1], tonumber(args[2])
  kind = args[3] or 'body'
  assert(path and of and of <= THREADS_MAX and (kind == 'body' or kind == 'path' or kind == 'login'),
    'usage: … --script distinct.lua URL -- FILE THREADS [body|path|login]')
  count, flags = of, ffi.cast('int32_t *', finished_at)
  if kind ~= 'path' then wrk.headers['Content-Type'] = 'application/json' end
  file = assert(io.open(path))
  file:setvbuf('full', 65536)
  -- Lines that begin in this thread's part of the bytes are its own.
  local bytes = file:seek('end')
  local from, to = math.floor(bytes * (number - 1) / of), math.floor(bytes * number / of)
  file:seek('set', math.max(0, from - 1))
  if from > 0 then from = from + #file:read('*l') end -- to the end of a line that began before
  left = to - from
  rehearsed = number > 1
  following = read()
  assert(rehearsed or following, path .. ' has no lines')
  if not following then flags[number - 1] = 1 end
end

function request()
  if not rehearsed then
    rehearsed = true
    return following
  end
  local now = following
  if not now then return NOTHING end
  if sent == 0 then began, begun_at = seconds_now(MONOTONIC), seconds_now(REALTIME) end
  following, sent = read(), sent + 1
  return now
end

function response(status)
  by_status[status] = (by_status[status] or 0) + 1
  answered = answered + 1
  if not exhausted or answered < sent then return end
  ended = seconds_now(MONOTONIC)
  flags[number - 1] = 1
  for thread = 0, count - 1 do
    if flags[thread] == 0 then
      wrk.thread:stop()
      return
    end
  end
  ffi.C.kill(ffi.C.getpid(), SIGINT) -- the last thread to finish ends the run, which would last its full duration
end
