#!lua
--[[ hold: the one effect. Says what orders hold after a change; applied only if newer than what is known, so it may
  come twice, late and in any order. Units, the buyer's allowance and the job's answer move together.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 item and 2 version of the change ('255' '0': none), then nine for each hold:
        job (16 bytes) · rev (1..) · buyer ('' unknown) · item (255 unknown) · quantity · units · state (P | R)
        · reason code · at_ms
  Answers  how many were newer, or -1: the gate has lost the sale, keep the effect until it is loaded again

  A job without a record counts as rev -1 with 0 units: its reservation was lost with the gate's data, or it is being
  loaded. That the sale is still loading is no reason to refuse: loading is nothing but holds.

  The first effect of a job gives back the tokens that it was admitted with, wherever its reservation is: see tokens.lua. ]]
local sale = open_sale(KEYS[1])
local jobs_key, buyers_key, check_key = KEYS[2], KEYS[3], KEYS[4]
local keys_are_new = check_types(jobs_key, buyers_key, check_key)
if (#ARGV - 2) % 9 ~= 0 then error('hold: nine arguments for each hold') end
if sale.missing or not sale.same_run then return -1 end

local version_item, version = whole(ARGV[1], 0, 255), whole(ARGV[2], 0, 2 ^ 53)
local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)

local holds = {}
for at = 3, #ARGV, 9 do
  if #ARGV[at] ~= 16 then error('hold: a job id has 16 bytes') end
  local state = ARGV[at + 6]
  if state ~= 'P' and state ~= 'R' then error('hold: a state is P or R') end
  holds[#holds + 1] = {
    job = ARGV[at], rev = whole(ARGV[at + 1], 1, 4294967295), buyer = ARGV[at + 2], item = whole(ARGV[at + 3], 0, 255),
    quantity = whole(ARGV[at + 4], 0, 65535), units = whole(ARGV[at + 5], 0, 65535), state = state,
    reason = whole(ARGV[at + 7], 0, 255), at = whole(ARGV[at + 8], 0, 2 ^ 48),
  }
end

local applied, settled = 0, {}
for _, hold in ipairs(holds) do
  local bytes = redis.call('HGET', jobs_key, hold.job)
  local known = bytes and unpack_record(bytes) or { rev = -1, units = 0, state = 'none' }
  if hold.rev > known.rev then
    local record = {
      state = hold.state, rev = hold.rev, units = hold.units, reason = hold.reason, updated = hold.at,
      admitted = known.admitted or hold.at,
      quantity = bytes and known.quantity > 0 and known.quantity or hold.quantity,
      item = bytes and known.item ~= 255 and known.item or hold.item,
      buyer = bytes and known.buyer ~= '' and known.buyer or hold.buyer,
    }
    local item = items[record.item]
    if item then
      if known.state == 'U' then item.unpublished = item.unpublished - known.units end
      if known.state == 'Q' or known.state == 'L' then item.queued = item.queued - known.units end
      item.free = item.free + known.units - hold.units
      item.changed = true
    end
    move_allowance(buyers_key, record.buyer, hold.units - known.units, hold.job)
    redis.call('HSET', jobs_key, hold.job, pack_record(record))
    if known.rev <= 0 then settled[#settled + 1] = { job = hold.job, buyer = record.buyer } end
    applied = applied + 1
  end
  redis.call('ZREM', check_key, hold.job)
end

local moved = items[version_item]
if moved then note_version(moved, version) end
write_counters(KEYS[1], items)
if #settled > 0 then Tokens.give_back(settled, now_ms()) end
keep_readable(KEYS[1], rules, now_ms(), keys_are_new)
return applied
