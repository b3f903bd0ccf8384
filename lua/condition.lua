#!lua flags=no-writes
--[[ condition: what the gate has of a sale, at one instant.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  Answers  'missing'
        | 'stale' epoch ms_since_its_loading_began ('' when no loading is under way in this run of the server)
        | 'ready' epoch state now_ms waiting_jobs reloaded_ms ('' for a sale that was loaded once) opens_ms closes_ms
          limit waiting_ms (how long the job in the middle of the waiting ones has waited) oldest_ms (the oldest one), then free, unpublished, queued, version of each item ]]
local sale = open_sale(KEYS[1])
if sale.missing then return { 'missing' } end
local now = now_ms()
if not sale.ready then
  local loading = sale.same_run and sale.loading and string.format('%.0f', math.max(now - sale.loading, 0)) or ''
  return { 'stale', tostring(sale.epoch), loading }
end
local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)
local function wait_of(found)
  local bytes = found[1] and redis.call('HGET', KEYS[2], found[1])
  return bytes and math.max(now - unpack_record(bytes).admitted, 0) or 0
end
local waiting, waited, oldest = redis.call('ZCARD', KEYS[4]), 0, 0
if waiting > 0 then
  local middle = math.floor(waiting / 2)
  waited = wait_of(redis.call('ZRANGE', KEYS[4], middle, middle))
  -- By when they are looked at again: the oldest is the first of the unconfirmed, the first of the confirmed, or one that
  -- hangs and has been put off again and again.
  oldest = math.max(waited, wait_of(redis.call('ZRANGE', KEYS[4], 0, 0)), wait_of(redis.call('ZRANGE', KEYS[4], -1, -1)),
    wait_of(redis.call('ZRANGEBYSCORE', KEYS[4], now + UNCONFIRMED_MS, '+inf', 'LIMIT', 0, 1)))
end
local answer = {
  'ready', tostring(sale.epoch), rules.state, string.format('%.0f', now), tostring(waiting),
  rules.reloaded and string.format('%.0f', rules.reloaded) or '',
  string.format('%.0f', rules.opens), string.format('%.0f', rules.closes), tostring(rules.limit),
  string.format('%.0f', waited), string.format('%.0f', oldest),
}
for item = 0, rules.items - 1 do
  for _, name in ipairs(COUNTERS) do answer[#answer + 1] = string.format('%.0f', items[item][name]) end
end
return answer
