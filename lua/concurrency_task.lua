#!lua
--[[ concurrency_task: the token of one task.

  KEYS  none; see tokens.lua
  ARGV  1 what to do: acquire, renew (also one that was lost) or release  2 type of the task  3 token
  Answers  'taken' | 'busy' | 'unlimited': there is no token | 'released' ]]
local action, task, token = ARGV[1], ARGV[2], ARGV[3]
local now_s, rules = math.floor(now_ms() / 1000), Tokens.rules()
local key, max = PREFIX .. ':semaphore:task_type:' .. task, rules.tasks[task]
if action == 'release' then
  local removed = redis.pcall('ZREM', key, token)
  if removed == 1 then Tokens.note('released', 1, now_s) end
  return { 'released' }
end
if action ~= 'acquire' and action ~= 'renew' then error('concurrency_task: acquire, renew or release') end
if not max then return { 'unlimited' } end
if not Tokens.take_task(key, max, rules.timeout, now_s, token, action == 'renew') then return { 'busy' } end
if action == 'acquire' then Tokens.note('acquired', 1, now_s, 'task_type', { [task] = 1 }) end
return { 'taken' }
