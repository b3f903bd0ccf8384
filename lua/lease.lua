#!lua
--[[ lease: the sale is sold out, and stays so for a while. Until the lease has run out nobody is admitted, also when
  units come back; so a gateway that knows every job there is may deny all others from memory.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  Answers  'leased' epoch jobs reloaded_ms ('' for a sale that was loaded once) closes_ms limit
        | 'refused': something is free, or the sale is not open | 'not-ready'

  Not while anything is free: what came back during one lease is for sale when it has run out. ]]
local sale = open_sale(KEYS[1])
check_type(KEYS[2], 'hash')
if not sale.ready then return { 'not-ready' } end
local rules, now = read_rules(KEYS[1]), now_ms()
if rules.state ~= 'open' or now < rules.opens or now >= rules.closes then return { 'refused' } end
for _, item in pairs(read_counters(KEYS[1], rules.items)) do
  if item.free > 0 then return { 'refused' } end
end
redis.call('HSET', KEYS[1], 'lease', string.format('%.0f', now + LEASE_MS))
return {
  'leased', tostring(sale.epoch), tostring(redis.call('HLEN', KEYS[2])),
  rules.reloaded and string.format('%.0f', rules.reloaded) or '', string.format('%.0f', rules.closes),
  tostring(rules.limit),
}
