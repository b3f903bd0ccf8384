#!lua
--[[ admit: decides up to 64 purchases of one sale and shard, in their order, all or nothing each.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 m, then m confirmed job ids (see mark_queued.lua), then four for each attempt:
        job (16 bytes), item (1 byte; 255: the sale has no such item), quantity (2 bytes, 1..), admissible (1 byte: 'y' yes,
        'e' the token has expired, 'b' the broker is away, 'w' what was accepted waits too long), in one string
        · buyer · channel ('' none) · the job's id as text
  Answers  now_ms, then two for each attempt:
        'admitted' record | 'repeated' record | 'not-ready' '' | 'token-expired' '' | 'not-open' opens_ms
        | 'ended' '' | 'paused' '' | 'unknown-item' '' | 'above-limit' limit | 'broker-away' '' | 'backlog' ''
        | 'limit-reached' limit ' ' job | 'sold-out' '' | 'busy-global' '' | 'busy-platform' '' | 'busy-account' limit

  Everything that can fail is read and checked before the first write, for all attempts in one command each: what an attempt
  changes is seen by the next one in these tables, and is written once, at the end. What a record is: see records.lua.
  What may be in flight at once is looked at last, and costs a buyer who is refused for another reason nothing: see
  tokens.lua, also for the keys that are not among KEYS. ]]
local sale_key, jobs_key, buyers_key, check_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local sale = open_sale(sale_key)
local jobs_are_new = check_types(jobs_key, buyers_key, check_key)
local marks = whole(ARGV[1], 0, #ARGV - 1)
local first = 2 + marks
if (#ARGV - first + 1) % 4 ~= 0 then error('admit: four arguments for each attempt') end
local now = now_ms()
local answers = { text_of(now) }

-- Parse and check all of it: after this, nothing can be malformed any more.
local attempts, ids, names = {}, {}, {}
for at = 2, 1 + marks do
  if #ARGV[at] ~= 16 then error('admit: a job id has 16 bytes') end
  ids[#ids + 1] = ARGV[at]
end
for at = first, #ARGV, 4 do
  local head = ARGV[at]
  if #head ~= 20 then error('admit: an attempt has 20 bytes') end
  local item, quantity, admissible = struct.unpack('>BI2c1', head, 17)
  if quantity == 0 then error('admit: a quantity is 1 or more') end
  local try = {
    job = string.sub(head, 1, 16), item = item, quantity = quantity, admissible = admissible,
    buyer = ARGV[at + 1], channel = ARGV[at + 2], token = ARGV[at + 3],
  }
  attempts[#attempts + 1], ids[#ids + 1], names[#names + 1] = try, try.job, try.buyer
end

if not sale.ready then
  for _ = 1, #attempts do
    answers[#answers + 1] = 'not-ready'
    answers[#answers + 1] = ''
  end
  return answers
end

local rules = read_rules(sale_key)
local items = read_counters(sale_key, rules.items)
local jobs, buyers, checks = open_hash(jobs_key, ids), open_hash(buyers_key, names), {}
local unconfirmed_at, unplaced_at = text_of(now + UNCONFIRMED_MS), text_of(now + UNPLACED_MS)
for at = 2, 1 + marks do mark_one(jobs, checks, items, ARGV[at], unplaced_at) end

-- Refusals that deny a job for good. After a loss they wait until nothing can be on its way any more.
local FINAL = { ['token-expired'] = true, ['ended'] = true, ['paused'] = true, ['limit-reached'] = true, ['sold-out'] = true }

local tokens
-- Until a lease has run out nobody is admitted, though units may be free again: a gateway denies from memory, and would
-- deny this job too. After a loss it is unknown which leases there are, and for so long nothing can be said at all.
local is_fresh = rules.reloaded and now < rules.reloaded + LEASE_MS
local function is_leased()
  if now >= rules.lease then return false end
  if rules.lease > now + LEASE_MS then
    -- The clock was set back: the lease is over at the latest one lease from now.
    rules.lease = now + LEASE_MS
    redis.call('HSET', sale_key, 'lease', text_of(rules.lease))
  end
  return true
end

local function decide(try)
  local earlier = jobs.known[try.job]
  if earlier then return 'repeated', earlier end
  if try.admissible == 'e' then return 'token-expired', '' end
  if rules.state == 'draft' then return 'not-open', text_of(rules.opens) end
  if rules.state == 'closed' or now >= rules.closes then return 'ended', '' end
  if rules.state == 'paused' then return 'paused', '' end
  if now < rules.opens then return 'not-open', text_of(rules.opens) end
  local item = items[try.item]
  if not item then return 'unknown-item', '' end
  if try.quantity > rules.limit then return 'above-limit', tostring(rules.limit) end
  if try.admissible == 'b' then return 'broker-away', '' end
  if try.admissible == 'w' then return 'backlog', '' end
  local held, latest = unpack_buyer(buyers.known[try.buyer])
  if held + try.quantity > rules.limit then return 'limit-reached', rules.limit .. ' ' .. latest end
  if item.free < try.quantity then return 'sold-out', '' end
  if is_leased() then return is_fresh and 'not-ready' or 'sold-out', '' end
  tokens = tokens or Tokens.open(now, names)
  local busy, most = Tokens.take(tokens, try.token, try.buyer, try.channel)
  if busy then return busy, most end

  item.free = item.free - try.quantity
  item.unpublished = item.unpublished + try.quantity
  item.changed = true
  local record = struct.pack(LAYOUT, 'U', 0, try.quantity, try.quantity, try.item, 0, now, now) .. try.buyer
  put_field(buyers, try.buyer, pack_buyer(held + try.quantity, try.job))
  put_field(jobs, try.job, record)
  put_check(checks, try.job, unconfirmed_at)
  return 'admitted', record
end

for _, try in ipairs(attempts) do
  local word, detail = decide(try)
  if FINAL[word] and may_be_on_its_way(rules, try.job, now) then word, detail = 'not-ready', '' end
  answers[#answers + 1], answers[#answers + 2] = word, detail
end
write_hash(buyers)
write_hash(jobs)
write_checks(check_key, checks)
write_counters(sale_key, items)
if tokens then Tokens.close(tokens) end
if jobs_are_new then expire_all(rules.forget) end
return answers
