#!lua
--[[ limit: counts one request against several rate limits, all or nothing.

  KEYS  one for each limit, no two the same
  ARGV  for each limit: 'w' sliding window or 'g' GCRA, limit, window_us
  Answers  'allowed' now_us
        | 'refused' now_us, then for each limit the microseconds until it has room ('0': it has)

  w  zset: one entry for each request of the last window, scored by its time; two in one microsecond have names of
     their own. A request is let through while fewer than the limit are less than a window old.
  g  string: the time at which the limit is whole again. A request moves it by the spacing, window / limit rounded up;
     it may be at most limit * spacing ahead. It is brought back to that where a longer rule has left it further ahead.

  Every key expires when it would say nothing any more. ]]
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end

local rules, waits, refused = {}, {}, false
for at, key in ipairs(KEYS) do
  local rule = {
    kind = ARGV[3 * at - 2], limit = whole(ARGV[3 * at - 1], 1, 2 ^ 32), window = whole(ARGV[3 * at], 1, 2 ^ 48),
  }
  local wait = 0
  if rule.kind == 'w' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now - rule.window))
    local count = redis.call('ZCARD', key)
    if count >= rule.limit then
      -- Room is made when this one is a window old: with a limit that was lowered, not by the oldest.
      local entry = redis.call('ZRANGE', key, count - rule.limit, count - rule.limit, 'WITHSCORES')
      wait = tonumber(entry[2]) + rule.window - now
    end
  elseif rule.kind == 'g' then
    rule.spacing = math.ceil(rule.window / rule.limit)
    local full = rule.limit * rule.spacing
    local whole_at = tonumber(redis.call('GET', key) or now)
    rule.next = math.min(math.max(whole_at, now), now + full) + rule.spacing
    wait = math.max(rule.next - full - now, 0)
  else
    error('limit: there is no algorithm ' .. tostring(rule.kind))
  end
  rules[at], waits[at] = rule, text(wait)
  refused = refused or wait > 0
end
if refused then return { 'refused', text(now), unpack(waits) } end

for at, key in ipairs(KEYS) do
  local rule = rules[at]
  if rule.kind == 'w' then
    local entry, twin = text(now), 0
    while redis.call('ZADD', key, 'NX', text(now), entry) == 0 do
      twin = twin + 1
      entry = text(now) .. '-' .. twin
    end
    redis.call('PEXPIRE', key, text(math.ceil(rule.window / 1000) + 1))
  else
    redis.call('SET', key, text(rule.next), 'PX', text(math.ceil((rule.next - now) / 1000) + 1))
  end
end
return { 'allowed', text(now) }
