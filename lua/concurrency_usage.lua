#!lua flags=no-writes
--[[ concurrency_usage: live tokens of every dimension that is limited, but for the buyers'.

  KEYS  none; see tokens.lua
  ARGV  none
  Answers  'usage', then a dimension (global, platform:<channel>, task_type:<type>) and a number for each ]]
local rules, after = Tokens.rules(), '(' .. math.floor(now_ms() / 1000)
local answer = { 'usage' }
local function add(name)
  local live = redis.pcall('ZCOUNT', PREFIX .. ':semaphore:' .. name, after, '+inf')
  answer[#answer + 1] = name
  answer[#answer + 1] = type(live) == 'number' and string.format('%.0f', live) or '0'
end
if rules.global > 0 then add('global') end
for name in pairs(rules.platforms) do add('platform:' .. name) end
for name in pairs(rules.tasks) do add('task_type:' .. name) end
return answer
