#!lua
--[[ quota_raise: learn what is written of other generations of a counter, and never forget any of it.
  Told nothing, it only says what is counted.

  KEYS  1 counter
  ARGV  for each generation: its name, units written
  Answers  units counted, or -1 when there is no counter ]]
check_type(KEYS[1], 'hash')
local run, generation, base, counted = unpack(redis.call('HMGET', KEYS[1], 'run', 'generation', 'base', 'counted'))
if run ~= RUN then return -1 end
local others = 0
for at = 1, #ARGV, 2 do
  local units = whole(ARGV[at + 1], 0, 2 ^ 53)
  if ARGV[at] ~= generation then others = others + units end
end
base = whole(base, 0, 2 ^ 53)
if others > base then redis.call('HSET', KEYS[1], 'base', string.format('%.0f', others)) end
return math.max(base, others) + whole(counted, 0, 2 ^ 53)
