#!lua
--[[ reserve: takes the units of an expired order again, before Postgres pays it late. Only a hold with a later rev ends
  the reservation. The sale's window is over perhaps, and a pause stops admission only: neither matters.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 job (16 bytes)  2 rev that Postgres has of the order
  Answers  'reserved', now or by an earlier call
        | 'refused': the sale is closed, too few are free, the buyer has too little allowance left, or the record is
          none of a placed order
        | 'stale': the record is at another rev, still holds its units, or is not there: an effect is on its way
        | 'not-ready'

  It is not watched: the payment is remembered in Postgres. ]]
local sale = open_sale(KEYS[1])
local jobs_key, buyers_key = KEYS[2], KEYS[3]
local keys_are_new = check_types(jobs_key, buyers_key, KEYS[4])
local job, rev = ARGV[1], whole(ARGV[2], 0, 4294967295)
if #job ~= 16 then error('reserve: a job id has 16 bytes') end
if not sale.ready then return 'not-ready' end

local bytes = redis.call('HGET', jobs_key, job)
local record = bytes and unpack_record(bytes)
if not record or record.rev ~= rev then return 'stale' end
if record.state == 'L' then return 'reserved' end
if record.units > 0 then return 'stale' end

local rules = read_rules(KEYS[1])
local items = read_counters(KEYS[1], rules.items)
local item, units = items[record.item], record.quantity
if record.state ~= 'P' or record.buyer == '' or not item or units == 0 then return 'refused' end
if rules.state == 'closed' or item.free < units then return 'refused' end
if read_buyer(buyers_key, record.buyer) + units > rules.limit then return 'refused' end

item.free = item.free - units
item.queued = item.queued + units
item.changed = true
record.state, record.units = 'L', units
write_counters(KEYS[1], items)
move_allowance(buyers_key, record.buyer, units, job)
redis.call('HSET', jobs_key, job, pack_record(record))
if keys_are_new then expire_all(rules.forget) end
return 'reserved'
