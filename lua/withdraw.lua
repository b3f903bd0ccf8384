#!lua
--[[ withdraw: sets units aside that an operator takes out of the sale, once per id, and only at the revision of the stock
  that the caller has seen. Only a restock that names the id ends it; after that a stalled repeat takes nothing: the id is
  known, and where that was lost with the gate's data, the stock is at a later revision.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 restock id  2 item  3 units (1..)  4 revision of the stock
  Answers  'taken', now or by an earlier call | 'too-many' free | 'ended' | 'stale' | 'not-ready' ]]
local sale = open_sale(KEYS[1])
local field, number, units = 'w:' .. ARGV[1], whole(ARGV[2], 0, 255), whole(ARGV[3], 1, 2 ^ 53)
local seen = whole(ARGV[4], 0, 4294967295)
if not sale.ready then return { 'not-ready' } end

local aside = redis.call('HGET', KEYS[1], field)
if aside then return { aside == '0' and 'ended' or 'taken' } end
local items = read_counters(KEYS[1], read_rules(KEYS[1]).items)
local item = items[number]
if item and tonumber(redis.call('HGET', KEYS[1], 'r' .. number)) ~= seen then return { 'stale' } end
local free = item and item.free or 0
if free < units then return { 'too-many', string.format('%.0f', free) } end

item.free = item.free - units
item.queued = item.queued + units
item.changed = true
redis.call('HSET', KEYS[1], field, string.format('%.0f', units))
write_counters(KEYS[1], items)
return { 'taken' }
