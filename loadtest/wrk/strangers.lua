--[[ Strangers: each request is of another buyer and from another address, once.

  wrk … --script strangers.lua URL -- BODIES_PREFIX THREADS PAUSE_MS

  Thread i reads BODIES_PREFIX0i line by line. Every second line is sent with its token, and counts by its buyer; the
  others are sent with a forged one, and count by their address. Each connection waits some PAUSE_MS between two
  requests. The run ends when every line has its answer, as in distinct.lua. ]]
local ffi = require('ffi')
ffi.cdef [[ int getpid(void); int kill(int process, int signal); ]]
local SIGINT, THREADS_MAX = 2, 256

local threads = {}
-- One flag per thread: has it got all its answers?
local finished = ffi.new('int32_t[?]', THREADS_MAX)

function setup(thread)
  thread:set('number', #threads)
  thread:set('finished_at', tonumber(ffi.cast('intptr_t', finished)))
  table.insert(threads, thread)
end

sent, answered, by_status = 0, 0, {}
local following, of, pause, ended, flags

function init(args)
  following = io.lines(string.format('%s%02d', args[1], number))
  of, pause = tonumber(args[2]), tonumber(args[3])
  flags = ffi.cast('int32_t *', finished_at)
  wrk.headers['Content-Type'] = 'application/json'
  math.randomseed(number + 1)
end

-- Around the pause, so that connections do not march in step.
function delay() return pause > 0 and math.random(0, 2 * pause) or 0 end

function request()
  local line = not ended and following()
  if not line then
    ended = true
    return wrk.format('GET', '/livez')
  end
  sent = sent + 1
  local n = sent * of + number
  local headers = {
    ['Content-Type'] = 'application/json',
    ['X-Forwarded-For'] = string.format('11.%d.%d.%d', n / 65536 % 256, n / 256 % 256, n % 256),
  }
  if sent % 2 == 0 then line = line:gsub('"token":"....', '"token":"none', 1) end
  return wrk.format('POST', wrk.path, headers, line)
end

function response(status)
  by_status[status] = (by_status[status] or 0) + 1
  answered = answered + 1
  if not ended or answered < sent or flags[number] == 1 then return end
  flags[number] = 1
  for thread = 0, of - 1 do
    if flags[thread] == 0 then return end
  end
  ffi.C.kill(ffi.C.getpid(), SIGINT) -- the last thread to finish ends the run
end

function done(summary)
  local all, sum = {}, 0
  for _, thread in ipairs(threads) do
    sum = sum + thread:get('sent')
    for status, count in pairs(thread:get('by_status')) do all[status] = (all[status] or 0) + count end
  end
  local parts = {}
  for status, count in pairs(all) do table.insert(parts, string.format('status%d %d', status, count)) end
  table.sort(parts)
  print(string.format('strangers sent %d seconds %.1f %s', sum, summary.duration / 1e6, table.concat(parts, ' ')))
end
