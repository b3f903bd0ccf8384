#!lua flags=no-writes
--[[ condition: what the gate has of a sale, at one instant.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  Answers  'missing'
        | 'stale' epoch ms_since_its_loading_began ('' when no loading is under way in this run of the server)
        | 'ready' epoch state now_ms waiting_jobs reloaded_ms ('' for a sale that was loaded once) opens_ms closes_ms
          limit waiting_ms (how long the job in the middle of the waiting ones has waited), then free, unpublished, queued, version of each item ]]
local sale = open_sale(KEYS[1])
if sale.missing then return { 'missing' } end
local now = now_ms()
if not sale.ready then
  local loading = sale.same_run and sale.loading and string.format('%.0f', math.max(now - sale.loading, 0)) or ''
  return { 'stale', tostring(sale.epoch), loading }
end
local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)
local waiting, waited = redis.call('ZCARD', KEYS[4]), 0
if waiting > 0 then
  local middle = redis.call('ZRANGE', KEYS[4], math.floor(waiting / 2), math.floor(waiting / 2))[1]
  local bytes = redis.call('HGET', KEYS[2], middle)
  if bytes then waited = math.max(now - unpack_record(bytes).admitted, 0) end
end
local answer = {
  'ready', tostring(sale.epoch), rules.state, string.format('%.0f', now), tostring(waiting),
  rules.reloaded and string.format('%.0f', rules.reloaded) or '',
  string.format('%.0f', rules.opens), string.format('%.0f', rules.closes), tostring(rules.limit),
  string.format('%.0f', waited),
}
for item = 0, rules.items - 1 do
  for _, name in ipairs(COUNTERS) do answer[#answer + 1] = string.format('%.0f', items[item][name]) end
end
return answer
