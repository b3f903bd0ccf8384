#!lua
--[[ finish_epoch: everything of this epoch has been loaded; the doors open as far as the sale's state lets them.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 epoch  2… version of each item that was loaded
  Answers  1, or 0 when the gate is in another epoch ]]
local sale = open_sale(KEYS[1])
local epoch = whole(ARGV[1], 1, 4294967295)
if sale.missing or not sale.same_run or sale.epoch ~= epoch then return 0 end
local items = read_counters(KEYS[1], read_rules(KEYS[1]).items)
for at = 2, #ARGV do
  local item = items[at - 2]
  if not item then error('finish_epoch: more versions than items') end
  item.version = math.max(item.version, whole(ARGV[at], 0, 2 ^ 53))
  item.changed = true
end
write_counters(KEYS[1], items)
redis.call('HDEL', KEYS[1], 'loading')
-- What was on its way gets its time from now on: the doors open only here.
if redis.call('HEXISTS', KEYS[1], 'reloaded') == 1 then
  redis.call('HSET', KEYS[1], 'reloaded', string.format('%.0f', now_ms()))
end
return 1
