#!lua
--[[ quota_return: a try to make a counted use has ended.

  KEYS  1 counter  2 ids                              (see quota_take.lua)
  ARGV  1 id  2 try  3 how: '1' this try has not made it; '2' nor has any whose outcome nobody knew; '0' nobody knows
  Answers  1 the use is not counted any more, 0 it is, or was not ]]
-- An empty counter is kept so long, in case its subject tries again: to begin a new one costs a look at the database.
local EMPTY_MS = 60000
check_type(KEYS[1], 'hash')
check_type(KEYS[2], 'hash')
local run, base, counted = unpack(redis.call('HMGET', KEYS[1], 'run', 'base', 'counted'))
local known = redis.call('HGET', KEYS[2], ARGV[1])
if run ~= RUN or not known then return 0 end
local units, tries = string.match(known, '^(%d+):?(.*)$')
units = whole(units, 0, 2 ^ 32)
local open, others, held = false, '', false
for try in string.gmatch(tries, '([^ ]*) ') do
  if try == ARGV[2] then held = true
  elseif try == '-' then open = true
  else others = others .. try .. ' ' end
end
if not held then return 0 end
if ARGV[3] ~= '1' then open = ARGV[3] == '0' end
if open then others = '- ' .. others end
if others ~= '' then
  redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f:', units) .. others)
  return 0
end
local left = math.max(0, whole(counted, 0, 2 ^ 53) - units)
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'counted', string.format('%.0f', left))
if left == 0 and whole(base, 0, 2 ^ 53) == 0 then redis.call('PEXPIRE', KEYS[1], EMPTY_MS) end
return 1
