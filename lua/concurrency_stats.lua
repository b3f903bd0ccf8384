#!lua
--[[ concurrency_stats: tokens taken and given back in the last 24 hours, the present hour included.

  KEYS  none; see tokens.lua
  ARGV  none
  Answers  'stats', then a counter and its sum for each ]]
local answer = { 'stats' }
for _, text in ipairs(Tokens.sum(math.floor(now_ms() / 1000))) do answer[#answer + 1] = text end
return answer
