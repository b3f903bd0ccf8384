#!lua
--[[ hold: the one effect. Says what orders hold after a change; applied only if newer than what is known, so it may
  come twice, late and in any order. Units, the buyer's allowance and the job's answer move together.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 item and 2 version of the change ('255' '0': none), then three for each hold:
        job (16 bytes) · the job's id as text · the record that it becomes (see records.lua): a job that has one keeps when
        it was admitted and what it asked for; state P or R, rev 1.., buyer '' unknown, item 255 unknown
  Answers  how many were newer, or -1: the gate has lost the sale, keep the effect until it is loaded again

  A job without a record counts as rev -1 with 0 units: its reservation was lost with the gate's data, or it is being
  loaded. That the sale is still loading is no reason to refuse: loading is nothing but holds.

  The first effect of a job gives back the tokens that it was admitted with, wherever its reservation is: see tokens.lua. ]]
local sale = open_sale(KEYS[1])
local jobs_key, buyers_key, check_key = KEYS[2], KEYS[3], KEYS[4]
local keys_are_new = check_types(jobs_key, buyers_key, check_key)
if (#ARGV - 2) % 3 ~= 0 then error('hold: three arguments for each hold') end
if sale.missing or not sale.same_run then return -1 end

local version_item, version = whole(ARGV[1], 0, 255), whole(ARGV[2], 0, 2 ^ 53)
local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)

local holds, ids = {}, {}
for at = 3, #ARGV, 3 do
  local job, token, record = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if #job ~= 16 then error('hold: a job id has 16 bytes') end
  if #record < LAYOUT_BYTES then error('hold: this is no record') end
  local state, rev = struct.unpack('>c1I4', record)
  if state ~= 'P' and state ~= 'R' then error('hold: a state is P or R') end
  if rev == 0 then error('hold: a rev is 1 or more') end
  holds[#holds + 1], ids[#ids + 1] = { job = job, token = token, rev = rev, record = record }, job
end

local jobs = open_hash(jobs_key, ids)
local applied, settled = 0, {}

-- What a hold makes of a record that is older. All that the record knew and the hold cannot change is kept.
local function apply(hold, known)
  local _, _, quantity, units, item, reason, admitted, updated = struct.unpack(LAYOUT, hold.record)
  local state, rev, held, buyer = 'none', -1, 0, string.sub(hold.record, LAYOUT_BYTES + 1)
  if known then
    local asked_for, of_item
    state, rev, asked_for, held, of_item, _, admitted = struct.unpack(LAYOUT, known)
    if asked_for > 0 then quantity = asked_for end
    if of_item ~= 255 then item = of_item end
    if #known > LAYOUT_BYTES then buyer = string.sub(known, LAYOUT_BYTES + 1) end
  end
  if hold.rev <= rev then return end
  local counters = items[item]
  if counters then
    if state == 'U' then counters.unpublished = counters.unpublished - held end
    if state == 'Q' or state == 'L' then counters.queued = counters.queued - held end
    counters.free = counters.free + held - units
    counters.changed = true
  end
  move_allowance(buyers_key, buyer, units - held, hold.job)
  local head = string.sub(hold.record, 1, 5)
  put_field(jobs, hold.job, head .. struct.pack('>I2I2BBI6I6', quantity, units, item, reason, admitted, updated) .. buyer)
  if rev <= 0 then
    hold.buyer = buyer
    settled[#settled + 1] = hold
  end
  applied = applied + 1
end

for _, hold in ipairs(holds) do apply(hold, jobs.known[hold.job]) end
write_hash(jobs)
if #ids > 0 then redis.call('ZREM', check_key, unpack(ids)) end

local moved = items[version_item]
if moved then note_version(moved, version) end
write_counters(KEYS[1], items)
if #settled > 0 then Tokens.give_back(settled, now_ms()) end
keep_readable(KEYS[1], rules, now_ms(), keys_are_new)
return applied
