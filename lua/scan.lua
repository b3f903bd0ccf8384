#!lua flags=no-writes
--[[ scan: one page of all records, in no order.

  KEYS  1 sale  2 jobs  3 buyers  4 check
  ARGV  1 where to begin (0: at the start)  2 about how many (1..1000)
  Answers  'page' where_the_next_begins ('0' after the last), then job and record of each | 'not-ready'

  Redis answers a small hash whole: up to 512 records come at once. ]]
local sale = open_sale(KEYS[1])
check_type(KEYS[2], 'hash')
local most = whole(ARGV[2], 1, 1000)
if not sale.ready then return { 'not-ready' } end
local cursor, records = unpack(redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', most))
local answer = { 'page', cursor }
for _, bytes in ipairs(records) do answer[#answer + 1] = bytes end
return answer
