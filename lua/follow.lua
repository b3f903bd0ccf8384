#!lua
--[[ follow: the operator has decided; state and rules as Postgres has them.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 epoch  2 state (draft | open | paused | closed)  3 opens_ms  4 closes_ms  5 limit  6 forget_ms
  Answers  1, or 0 when the gate is in another epoch ]]
local sale = open_sale(KEYS[1])
local epoch = whole(ARGV[1], 1, 4294967295)
local known = { draft = true, open = true, paused = true, closed = true }
if not known[ARGV[2]] then error('follow: a state is draft, open, paused or closed') end
local opens, closes = whole(ARGV[3], 0, 2 ^ 48), whole(ARGV[4], 0, 2 ^ 48)
local limit, forget = whole(ARGV[5], 1, 65535), whole(ARGV[6], 0, 2 ^ 48)
if sale.missing or not sale.same_run or sale.epoch ~= epoch then return 0 end
local keep = math.max(forget, read_rules(KEYS[1]).forget)
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'opens', ARGV[3], 'closes', ARGV[4], 'limit', ARGV[5], 'forget',
  string.format('%.0f', keep))
-- Whoever loads the sale says with this that they are alive.
if sale.loading then redis.call('HSET', KEYS[1], 'loading', string.format('%.0f', now_ms())) end
expire_all(keep)
return 1
