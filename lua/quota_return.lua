#!lua
--[[ quota_return: take a counted use back.

  KEYS  1 counter  2 ids
  ARGV  1 id
  Answers  1, or 0 when it is not counted here ]]
check_type(KEYS[1], 'hash')
check_type(KEYS[2], 'hash')
local run, counted = unpack(redis.call('HMGET', KEYS[1], 'run', 'counted'))
local units = redis.call('HGET', KEYS[2], ARGV[1])
if run ~= RUN or not units then return 0 end
local left = math.max(0, whole(counted, 0, 2 ^ 53) - whole(units, 0, 2 ^ 32))
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[1], 'counted', string.format('%.0f', left))
return 1
