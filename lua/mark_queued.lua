#!lua
--[[ mark_queued: the broker has confirmed these jobs; from now on they are given thirty seconds to become orders.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  job ids (16 bytes)
  Answers  1, or 0 when the gate is not ready (the marks are then pointless: the sale will be loaded again) ]]
local sale = open_sale(KEYS[1])
check_types(KEYS[2], KEYS[3], KEYS[4])
if not sale.ready then return 0 end
local items = read_counters(KEYS[1], read_rules(KEYS[1]).items)
local unplaced_at = text_of(now_ms() + UNPLACED_MS)
local jobs, checks = open_hash(KEYS[2], ARGV), {}
for _, job in ipairs(ARGV) do mark_one(jobs, checks, items, job, unplaced_at) end
write_hash(jobs)
write_checks(KEYS[4], checks)
write_counters(KEYS[1], items)
return 1
