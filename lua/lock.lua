#!lua
--[[ lock: takes, renews or ends a lock that all processes agree on, or counts the locks that are held. Only the token that
  took a lock renews or ends it, and after its time nobody's does: the key is gone.

  KEYS  1 lock (string: the holder's token, with an expiry)  2 locks (zset: name → when it ends, ms)
  ARGV  1 take, renew, end or count  2 name  3 token  4 ttl_ms (1..); 2 to 4 not with count
  Answers  'taken', now or by an earlier call with this token | 'held' | 'renewed' | 'ended' | 'lost' | 'active' locks ]]
local wish, name, token = ARGV[1], ARGV[2], ARGV[3]
local now = now_ms()
check_type(KEYS[2], 'zset')

if wish == 'count' then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
  return { 'active', tostring(redis.call('ZCARD', KEYS[2])) }
end

check_type(KEYS[1], 'string')
local ttl = whole(ARGV[4], 1, 86400000)
local holder = redis.call('GET', KEYS[1])
if wish == 'take' and holder and holder ~= token then return { 'held' } end
if wish ~= 'take' and holder ~= token then return { 'lost' } end

if wish == 'end' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], name)
  return { 'ended' }
end
redis.call('SET', KEYS[1], token, 'PX', ttl)
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ttl), name)
-- A crash leaves a name behind; it goes with the next lock that is taken.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[2], math.max(ttl, redis.call('PTTL', KEYS[2])))
return { wish == 'take' and 'taken' or 'renewed' }
