#!lua
--[[ begin_epoch: forgets all of a sale and begins to load it: the whole stock free, the doors shut.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 epoch  2 opens_ms  3 closes_ms  4 limit  5 forget_ms  6 '1': an earlier epoch admitted jobs, then two for
        each item: stock · its revision
  Answers  1, or 0 when this epoch or a later one has begun already ]]
local epoch = whole(ARGV[1], 1, 4294967295)
local count = (#ARGV - 6) / 2
if count ~= math.floor(count) or count < 1 or count > 254 then error('begin_epoch: two arguments for 1 to 254 items') end
local fields = {
  'run', RUN, 'epoch', ARGV[1], 'state', 'draft', 'opens', whole(ARGV[2], 0, 2 ^ 48) and ARGV[2],
  'closes', whole(ARGV[3], 0, 2 ^ 48) and ARGV[3], 'limit', whole(ARGV[4], 1, 65535) and ARGV[4],
  'forget', whole(ARGV[5], 0, 2 ^ 48) and ARGV[5], 'items', count,
  'loading', string.format('%.0f', now_ms()),
}
for item = 0, count - 1 do
  local stock, rev = ARGV[7 + 2 * item], ARGV[8 + 2 * item]
  whole(stock, 0, 2 ^ 53)
  whole(rev, 0, 4294967295)
  for name, value in pairs({ f = stock, u = '0', q = '0', v = '0', s = stock, r = rev }) do
    fields[#fields + 1] = name .. item
    fields[#fields + 1] = value
  end
end
if ARGV[6] == '1' then
  fields[#fields + 1] = 'reloaded'
  fields[#fields + 1] = string.format('%.0f', now_ms())
  -- Leases were granted before this moment, by whatever has been forgotten: all of them have run out by then.
  fields[#fields + 1] = 'lease'
  fields[#fields + 1] = string.format('%.0f', now_ms() + LEASE_MS)
end
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
  local known = tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') or 0
  if known >= epoch then return 0 end
end
for _, key in ipairs(KEYS) do redis.call('UNLINK', key) end
redis.call('HSET', KEYS[1], unpack(fields))
expire_all(tonumber(ARGV[5]))
return 1
