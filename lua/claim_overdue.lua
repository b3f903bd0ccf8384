#!lua
--[[ claim_overdue: reservations whose confirm or effect is overdue, oldest first. Claiming postpones them, so that two
  watchers do not publish the same ones.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 how many at most
  Answers  job, record, job, record, … ]]
local sale = open_sale(KEYS[1])
check_types(KEYS[2], KEYS[3], KEYS[4])
local most = whole(ARGV[1], 1, 1000)
if not sale.ready then return {} end
local now = now_ms()
local claimed = {}
for _, job in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, most)) do
  local bytes = redis.call('HGET', KEYS[2], job)
  local record = bytes and unpack_record(bytes)
  if not record or record.rev > 0 then
    redis.call('ZREM', KEYS[4], job)
  else
    -- A confirmed one waits each time as long as it has waited so far: while Postgres is away for an hour, the queue
    -- gets a handful of copies of it and not a hundred.
    local patience = record.state == 'U' and UNCONFIRMED_MS or math.max(UNPLACED_MS, now - record.admitted)
    redis.call('ZADD', KEYS[4], now + patience, job)
    claimed[#claimed + 1] = job
    claimed[#claimed + 1] = bytes
  end
end
return claimed
