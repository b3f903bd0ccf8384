#!lua
--[[ admit: decides up to 64 purchases of one sale and shard, in their order, all or nothing each.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 m, then m confirmed job ids (see mark_queued.lua), then six for each attempt:
        job (16 bytes) · buyer · channel ('' none) · item (0..254; 255: the sale has no such item) · quantity (1..65535)
        · admissible: 'y' yes, 'e' the token has expired, 'b' the broker is away, 'w' what was accepted waits too long
  Answers  now_ms, then two for each attempt:
        'admitted' record | 'repeated' record | 'not-ready' '' | 'token-expired' '' | 'not-open' opens_ms
        | 'ended' '' | 'paused' '' | 'unknown-item' '' | 'above-limit' limit | 'broker-away' '' | 'backlog' ''
        | 'limit-reached' limit ' ' job | 'sold-out' '' | 'busy-global' '' | 'busy-platform' '' | 'busy-account' limit

  Everything that can fail is read and checked before the first write. What a record is: see records.lua.
  What may be in flight at once is looked at last, and costs a buyer who is refused for another reason nothing: see
  tokens.lua, also for the keys that are not among KEYS. ]]
local sale_key, jobs_key, buyers_key, check_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local sale = open_sale(sale_key)
local jobs_are_new = check_types(jobs_key, buyers_key, check_key)
local marks = whole(ARGV[1], 0, #ARGV - 1)
local first = 2 + marks
if (#ARGV - first + 1) % 6 ~= 0 then error('admit: six arguments for each attempt') end
local now = now_ms()
local answers = { string.format('%.0f', now) }

-- Parse and check all of it: after this, nothing can be malformed any more.
local attempts = {}
for at = first, #ARGV, 6 do
  if #ARGV[at] ~= 16 then error('admit: a job id has 16 bytes') end
  attempts[#attempts + 1] = {
    job = ARGV[at], buyer = ARGV[at + 1], channel = ARGV[at + 2], item = whole(ARGV[at + 3], 0, 255),
    quantity = whole(ARGV[at + 4], 1, 65535), admissible = ARGV[at + 5],
  }
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
for at = 2, 1 + marks do mark_one(jobs_key, check_key, items, ARGV[at], now) end

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
    redis.call('HSET', sale_key, 'lease', string.format('%.0f', rules.lease))
  end
  return true
end

local function decide(try)
  local earlier = redis.call('HGET', jobs_key, try.job)
  if earlier then return 'repeated', earlier end
  if try.admissible == 'e' then return 'token-expired', '' end
  if rules.state == 'draft' then return 'not-open', string.format('%.0f', rules.opens) end
  if rules.state == 'closed' or now >= rules.closes then return 'ended', '' end
  if rules.state == 'paused' then return 'paused', '' end
  if now < rules.opens then return 'not-open', string.format('%.0f', rules.opens) end
  local item = items[try.item]
  if not item then return 'unknown-item', '' end
  if try.quantity > rules.limit then return 'above-limit', tostring(rules.limit) end
  if try.admissible == 'b' then return 'broker-away', '' end
  if try.admissible == 'w' then return 'backlog', '' end
  local held, latest = read_buyer(buyers_key, try.buyer)
  if held + try.quantity > rules.limit then return 'limit-reached', rules.limit .. ' ' .. latest end
  if item.free < try.quantity then return 'sold-out', '' end
  if is_leased() then return is_fresh and 'not-ready' or 'sold-out', '' end
  tokens = tokens or Tokens.open(now)
  local busy, most = Tokens.take(tokens, try.job, try.buyer, try.channel)
  if busy then return busy, most end

  item.free = item.free - try.quantity
  item.unpublished = item.unpublished + try.quantity
  item.changed = true
  local record = pack_record({
    state = 'U', rev = 0, quantity = try.quantity, units = try.quantity, item = try.item, reason = 0,
    admitted = now, updated = now, buyer = try.buyer,
  })
  redis.call('HSET', buyers_key, try.buyer, pack_buyer(held + try.quantity, try.job))
  redis.call('HSET', jobs_key, try.job, record)
  redis.call('ZADD', check_key, now + UNCONFIRMED_MS, try.job)
  return 'admitted', record
end

for _, try in ipairs(attempts) do
  local word, detail = decide(try)
  if FINAL[word] and may_be_on_its_way(rules, try.job, now) then word, detail = 'not-ready', '' end
  answers[#answers + 1], answers[#answers + 2] = word, detail
end
write_counters(sale_key, items)
if tokens then Tokens.close(tokens) end
if jobs_are_new then expire_all(rules.forget) end
return answers
