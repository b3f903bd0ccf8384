#!lua
--[[ quota_raise: learn what is written of other generations of a counter, and never forget any of it.

  KEYS  1 counter
  ARGV  for each generation: its name, units written
  Answers  1, or 0 when there is no counter ]]
check_type(KEYS[1], 'hash')
local run, generation, base = unpack(redis.call('HMGET', KEYS[1], 'run', 'generation', 'base'))
if run ~= RUN then return 0 end
local others = 0
for at = 1, #ARGV, 2 do
  local units = whole(ARGV[at + 1], 0, 2 ^ 53)
  if ARGV[at] ~= generation then others = others + units end
end
if others > whole(base, 0, 2 ^ 53) then redis.call('HSET', KEYS[1], 'base', string.format('%.0f', others)) end
return 1
