#!lua
--[[ quota_take: count one use of a quota, if it is within the limit.

  KEYS  1 counter  2 ids                              (same {kind:subject} tag)
  ARGV  1 id  2 units  3 limit  4 counter's end (ms)  5 ids' end (ms)  6 generation, '' without a seed  7 used before
        8 try: names this one of several tries to make the same use; no spaces

  The counter is a hash: run · generation · base (units known of other generations) · counted (units counted here). One
  of another run of this server may have been rewound, and begins again. The ids are a hash of id → units ':' and, each
  followed by a space, the tries that hold the use, and '-' for those whose outcome nobody knows: it counts once, and for
  as long as one of them may have made it.
  Answers  'allowed' | 'before' | 'held' | 'exceeded', each with units left and generation; 'unseeded' where there is no
  counter and no seed. 'before': counted, for a try whose outcome nobody knows; 'held': another try holds it. The
  same try again is 'allowed' where it holds the use alone ]]
-- Who sends one use this often gets it counted until the day is over, whatever becomes of it.
local TRIES_MAX = 16
check_type(KEYS[1], 'hash')
check_type(KEYS[2], 'hash')
local units, limit, seed = whole(ARGV[2], 0, 2 ^ 32), whole(ARGV[3], 0, 2 ^ 53), whole(ARGV[7], 0, 2 ^ 53)
local counter_end, ids_end = whole(ARGV[4], 0, 2 ^ 53), whole(ARGV[5], 0, 2 ^ 53)
local run, generation, base, counted = unpack(redis.call('HMGET', KEYS[1], 'run', 'generation', 'base', 'counted'))
local fresh = run ~= RUN
if fresh then
  if ARGV[6] == '' then return { 'unseeded' } end
  generation, base, counted = ARGV[6], seed, 0
else
  base, counted = whole(base, 0, 2 ^ 53), whole(counted, 0, 2 ^ 53)
end
local known = redis.call('HGET', KEYS[2], ARGV[1])
local left = limit - base - counted

if fresh then
  redis.call('HSET', KEYS[1], 'run', RUN, 'generation', generation, 'base', ARGV[7], 'counted', 0)
  redis.call('PEXPIREAT', KEYS[1], counter_end)
end
local word
if known then
  local others, count, again = '', 0, false
  for try in string.gmatch(string.match(known, ':(.*)$') or '- ', '([^ ]*) ') do
    count = count + 1
    if try == ARGV[8] then again = true else others = others .. try .. ' ' end
  end
  word = others == '' and 'allowed' or others == '- ' and 'before' or 'held'
  if not again and count < TRIES_MAX then
    redis.call('HSET', KEYS[2], ARGV[1], string.match(known, '^%d+') .. ':' .. others .. ARGV[8] .. ' ')
  end
else
  word = units > left and 'exceeded' or 'allowed'
  if word == 'allowed' then
    left = left - units
    redis.call('HINCRBY', KEYS[1], 'counted', units)
    -- It may have been empty, and about to be forgotten.
    if counted == 0 then redis.call('PEXPIREAT', KEYS[1], counter_end) end
    redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f:', units) .. ARGV[8] .. ' ')
    redis.call('PEXPIREAT', KEYS[2], ids_end)
  end
end
return { word, string.format('%.0f', math.max(left, 0)), generation }
