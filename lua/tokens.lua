--[[ tokens: what may be under way at once. Put behind records.lua, in front of the scripts that say `Tokens`, after the line

       local PREFIX = '<concurrency.prefix>'

  Keys, all below PREFIX, shared by all sales; their names are those of the requirements:
    :config                                 string  the rules as JSON; missing or unreadable: the default
    :config:version                         string  the number of the change that made them
    :semaphore:global                       zset    token (a job's id, a task's name) → when it expires (unix seconds)
    :semaphore:platform:<channel>  :semaphore:account:<buyer>  :semaphore:task_type:<type>        likewise
    :stats:counters                         hash    tokens taken and given back in the last 24 hours
    :stats:counters:<hour since 1970>       hash    likewise in that hour

  Which of them a script touches follows from its arguments and the rules, so they are not among KEYS: one primary has to
  hold them and every sale. On a cluster a script reaches one slot only; there each sale would need a PREFIX with its own
  tag, and would count for itself.

  They are kept from harm by nobody: whatever is no JSON, no set or no hash there is forgotten, never an error. ]]
local Tokens = {}
local SEMAPHORE = PREFIX .. ':semaphore:'
local COUNTERS_KEY = PREFIX .. ':stats:counters'
local HOURS = 24
local KEPT_S = (HOURS + 1) * 3600

local function limits_of(map)
  local limits, names = {}, {}
  for name, max in pairs(type(map) == 'table' and map or {}) do
    if type(name) == 'string' then
      names[name] = true
      if type(max) == 'number' and max >= 1 then limits[name] = math.floor(max) end
    end
  end
  return limits, names
end

-- What is limited now; a dimension without a limit is 0, or absent from its map.
function Tokens.rules()
  local text = redis.pcall('GET', PREFIX .. ':config')
  local is_json, read = false, nil
  if type(text) == 'string' then is_json, read = pcall(cjson.decode, text) end
  if not is_json or type(read) ~= 'table' then read = {} end
  -- Written by hand it may be anything. Whole numbers only from here on: EXPIRE takes no others, and by then a purchase is
  -- half done.
  local function number(value, default)
    if value == 0 or (type(value) == 'number' and value >= 1) then return math.floor(value) end
    return default
  end
  local timeout = math.min(math.max(number(read.timeout, 300), 1), 86400)
  local rules = { timeout = timeout, global = 0, account = 0, platforms = {}, tasks = {} }
  if read.enabled == false then return rules end
  rules.global, rules.account = number(read.global_max, 0), number(read.account_max, 1)
  rules.platforms, rules.channels = limits_of(read.platform_max)
  rules.tasks = limits_of(read.task_type_max)
  return rules
end

local function is_error(answer) return type(answer) == 'table' and answer.err ~= nil end

-- Live tokens of a set; what has expired is removed.
local function count(key, now_s)
  if is_error(redis.pcall('ZREMRANGEBYSCORE', key, '-inf', now_s)) then redis.call('UNLINK', key) end
  return redis.call('ZCARD', key)
end

-- Members are expiry, token, expiry, token … The set lives as long as the longest-lived of its tokens.
local function put(key, was_empty, timeout, ...)
  redis.call('ZADD', key, ...)
  if was_empty then redis.call('EXPIRE', key, timeout) else redis.call('EXPIRE', key, timeout, 'GT') end
end

local function bump(key, field, times)
  local sum = redis.pcall('HINCRBY', key, field, times)
  if not is_error(sum) then return sum end
  redis.call('UNLINK', key)
  return redis.call('HINCRBY', key, field, times)
end

-- The sums of the last 24 hours, kept as one hash for whoever looks at Redis.
function Tokens.sum(now_s)
  local hour, sums, fields = math.floor(now_s / 3600), {}, {}
  for at = hour - HOURS + 1, hour do
    local counted = redis.pcall('HGETALL', COUNTERS_KEY .. ':' .. at)
    for index = 1, is_error(counted) and 0 or #counted, 2 do
      sums[counted[index]] = (sums[counted[index]] or 0) + (tonumber(counted[index + 1]) or 0)
    end
  end
  for field, sum in pairs(sums) do
    fields[#fields + 1] = field
    fields[#fields + 1] = string.format('%.0f', sum)
  end
  redis.call('UNLINK', COUNTERS_KEY)
  if #fields > 0 then
    redis.call('HSET', COUNTERS_KEY, unpack(fields))
    redis.call('EXPIRE', COUNTERS_KEY, KEPT_S)
  end
  return fields
end

-- So many were acquired or released, some of them of a kind and name.
function Tokens.note(what, times, now_s, kind, names)
  local bucket = COUNTERS_KEY .. ':' .. math.floor(now_s / 3600)
  local of_names = {}
  for name, some in pairs(names or {}) do of_names[what .. ':' .. kind .. ':' .. name] = some end
  local is_first = bump(bucket, what .. ':total', times) == times
  for field, some in pairs(of_names) do bump(bucket, field, some) end
  if is_first then
    -- A new hour: the one of a day ago ends.
    redis.call('EXPIRE', bucket, KEPT_S)
    Tokens.sum(now_s)
    return
  end
  bump(COUNTERS_KEY, what .. ':total', times)
  for field, some in pairs(of_names) do bump(COUNTERS_KEY, field, some) end
end

local function account(buyer) return SEMAPHORE .. 'account:' .. buyer end

-- One call's purchases, of these buyers. The sets that buyers share are counted once, and written once by `close`. Mostly
-- none of the buyers has anything under way: one command says so for all.
function Tokens.open(now, buyers)
  local now_s, rules = math.floor(now / 1000), Tokens.rules()
  local keys = {}
  for at, buyer in ipairs(rules.account > 0 and buyers or {}) do keys[at] = account(buyer) end
  return {
    rules = rules, now_s = now_s, shared = {}, acquired = 0, by_channel = {},
    timeout = text_of(rules.timeout), expiry = text_of(now_s + rules.timeout),
    some_busy = #keys > 0 and redis.call('EXISTS', unpack(keys)) > 0, accounts = {},
  }
end

local function count_account(group, key, buyer)
  local mine = group.accounts[buyer]
  if mine or not group.some_busy then return mine or 0 end
  mine = redis.pcall('ZCARD', key)
  return mine ~= 0 and count(key, group.now_s) or 0
end

local function shared_set(group, name, max)
  local set = group.shared[name]
  if not set then
    local live = count(SEMAPHORE .. name, group.now_s)
    set = { max = max, count = live, was_empty = live == 0, fresh = {} }
    group.shared[name] = set
  end
  return set
end

-- A job whose reservation went with the gate's data may have its place still: it takes no second one.
local function has(key, token)
  local expiry = redis.pcall('ZSCORE', key, token)
  return expiry and not is_error(expiry)
end

local function room(name, set, token)
  set.is_own = has(SEMAPHORE .. name, token)
  return set.is_own or set.count < set.max
end

local function take_shared(group, set, token)
  if not set.is_own then set.count = set.count + 1 end
  set.fresh[#set.fresh + 1] = group.expiry
  set.fresh[#set.fresh + 1] = token
end

-- A token in each limited dimension for a purchase, or in none: then the word that says why, and its detail.
function Tokens.take(group, token, buyer, channel)
  local rules = group.rules
  local all = rules.global > 0 and shared_set(group, 'global', rules.global)
  if all and not room('global', all, token) then return 'busy-global', '' end
  local max = rules.platforms[channel]
  local of_channel = max and shared_set(group, 'platform:' .. channel, max)
  if of_channel and not room('platform:' .. channel, of_channel, token) then return 'busy-platform', '' end
  if rules.account > 0 then
    local key = account(buyer)
    local mine = count_account(group, key, buyer)
    local is_own = mine > 0 and has(key, token)
    if mine >= rules.account and not is_own then return 'busy-account', string.format('%.0f', rules.account) end
    put(key, mine == 0, group.timeout, group.expiry, token)
    group.accounts[buyer] = is_own and mine or mine + 1
  elseif not all and not of_channel then
    return
  end

  if all then take_shared(group, all, token) end
  if of_channel then take_shared(group, of_channel, token) end
  group.acquired = group.acquired + 1
  if rules.channels[channel] then group.by_channel[channel] = (group.by_channel[channel] or 0) + 1 end
end

-- A token for a task, or none where as many are taken. A renewed one was taken before, and finds its place whatever came.
function Tokens.take_task(key, max, timeout, now_s, token, is_renewed)
  local live = count(key, now_s)
  if live >= max and not is_renewed then return false end
  put(key, live == 0, timeout, now_s + timeout, token)
  return true
end

function Tokens.close(group)
  for name, set in pairs(group.shared) do
    if #set.fresh > 0 then put(SEMAPHORE .. name, set.was_empty, group.timeout, unpack(set.fresh)) end
  end
  if group.acquired > 0 then Tokens.note('acquired', group.acquired, group.now_s, 'platform', group.by_channel) end
end

local function remove(key, ...)
  local removed = redis.pcall('ZREM', key, ...)
  return is_error(removed) and 0 or removed
end

-- These jobs are settled. A record does not know its channel, so all that are limited are looked at; the buyer's set
-- always, for nobody could find it later.
function Tokens.give_back(jobs, now)
  local rules, tokens, of_accounts, most = Tokens.rules(), {}, 0, 0
  for _, one in ipairs(jobs) do
    tokens[#tokens + 1] = one.token
    of_accounts = of_accounts + remove(account(one.buyer), one.token)
  end
  if rules.global > 0 then most = remove(SEMAPHORE .. 'global', unpack(tokens)) end
  local of_channels = 0
  for channel in pairs(rules.platforms) do
    of_channels = of_channels + remove(SEMAPHORE .. 'platform:' .. channel, unpack(tokens))
  end
  local released = math.max(of_accounts, most, of_channels)
  if released > 0 then Tokens.note('released', released, math.floor(now / 1000)) end
end
