#!lua
--[[ restock: the effect of a restock. Says what the stock of an item is after a change; applied only if newer than what is
  known, so it may come twice, late and in any order. A withdrawal that it ends gives back what was set aside for it in
  the same step, whether or not the stock is news, and is known as ended from then on.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 item  2 stock  3 its revision  4 version of the change (0: none)  5 restock id of the withdrawal that it ends ('': none)
  Answers  1, or 0 when all of it was known; -1: the gate has lost the sale, keep the effect until it is loaded again

  That the sale is still loading is no reason to refuse: what it was loaded with may be older. ]]
local sale = open_sale(KEYS[1])
local number, stock, rev = whole(ARGV[1], 0, 255), whole(ARGV[2], 0, 2 ^ 53), whole(ARGV[3], 0, 4294967295)
local version, ends = whole(ARGV[4], 0, 2 ^ 53), ARGV[5] ~= '' and 'w:' .. ARGV[5]
if sale.missing or not sale.same_run then return -1 end

local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)
local item = items[number]
local known, known_rev = unpack(redis.call('HMGET', KEYS[1], 's' .. number, 'r' .. number))
local is_newer = item and rev > whole(known_rev, 0, 4294967295)
local difference = is_newer and stock - whole(known, 0, 2 ^ 53) or 0
local field = ends and redis.call('HGET', KEYS[1], ends)
local aside = whole(field or '0', 0, 2 ^ 53)
local is_ending = ends and field ~= '0'

if item then
  item.free = item.free + difference + aside
  item.queued = item.queued - aside
  item.changed = true
  note_version(item, version)
end
if is_newer then redis.call('HSET', KEYS[1], 's' .. number, ARGV[2], 'r' .. number, ARGV[3]) end
if is_ending then redis.call('HSET', KEYS[1], ends, '0') end
write_counters(KEYS[1], items)
keep_readable(KEYS[1], rules, now_ms(), false)
return (is_newer or is_ending) and 1 or 0
