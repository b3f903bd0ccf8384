#!lua
--[[ concurrency_config: the rules to obey, as of a numbered change. A dimension that becomes unlimited forgets its tokens.

  KEYS  none; see tokens.lua
  ARGV  1 number of the change  2 the rules as JSON  3 '1': also if a later change is obeyed
  Answers  'written' | 'kept': they were obeyed already | 'newer' number: a later change is obeyed ]]
local version, text = whole(ARGV[1], 0, 2 ^ 53), ARGV[2]
if type(cjson.decode(text)) ~= 'table' then error('concurrency_config: the rules are an object') end
local config_key, version_key = PREFIX .. ':config', PREFIX .. ':config:version'
local known = tonumber(redis.pcall('GET', version_key)) or -1
if known > version and ARGV[3] ~= '1' then return { 'newer', string.format('%.0f', known) } end
if known == version and redis.pcall('GET', config_key) == text then return { 'kept' } end

local before = Tokens.rules()
redis.call('SET', config_key, text)
redis.call('SET', version_key, ARGV[1])
local after = Tokens.rules()
if before.global > 0 and after.global == 0 then redis.call('UNLINK', PREFIX .. ':semaphore:global') end
for name in pairs(before.platforms) do
  if not after.platforms[name] then redis.call('UNLINK', PREFIX .. ':semaphore:platform:' .. name) end
end
for name in pairs(before.tasks) do
  if not after.tasks[name] then redis.call('UNLINK', PREFIX .. ':semaphore:task_type:' .. name) end
end
return { 'written' }
