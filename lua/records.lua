--[[ records: what the scripts share. Put in front of each of them when they are loaded, after the line

       local RUN = '<run id of this Redis server>'

  so that a script belongs to one run of one server: after a restart or a failover every EVALSHA answers NOSCRIPT,
  and no client can decide on rewound data by accident.

  Keys, all with one hash tag {number.shard}, so that a cluster keeps them together:
    sale    hash   run · epoch · loading (ms when it began; absent when loaded) · state · opens · closes · limit ·
                   forget · items · reloaded (ms; absent when loaded once) · for item i: f<i> free, u<i> unpublished,
                   q<i> queued or set aside (units), v<i> version applied, s<i> stock known, r<i> its revision ·
                   w:<restock id> units set aside for a withdrawal; '0' once it has ended · lease (ms until which
                   nobody is admitted: a gateway may be saying 'sold out' from memory)
    jobs    hash   job id (16 bytes) → record
    buyers  hash   buyer → 2 bytes of units held, 16 of the latest job
    check   zset   job id → when its confirm or its effect is overdue (ms)

  A record, big-endian: state (U unpublished, Q queued, P placed, L placed and reserved again for a late payment,
  R refused) · 4 rev · 2 quantity asked for · 2 units held · 1 item (255 unknown) · 1 reason · 6 admitted ms ·
  6 updated ms · buyer. The units of U count as unpublished, those of Q and L as queued. ]]
local UNCONFIRMED_MS = 2000
local UNPLACED_MS = 30000
local SETTLING_MS = 15000
local LEASE_MS = 1500
local READABLE_MS = 25 * 3600 * 1000
local LAYOUT = '>c1I4I2I2BBI6I6'
local LAYOUT_BYTES = 23

local function whole(text, low, high)
  local number = tonumber(text)
  if not number or number ~= math.floor(number) or number < low or number > high then
    error('not a whole number from ' .. low .. ' to ' .. high)
  end
  return number
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function check_type(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then error('WRONGTYPE ' .. key .. ' is a ' .. found) end
  return found == 'none'
end

-- Is any of the three still to be created, and so without an expiry?
local function check_types(jobs_key, buyers_key, check_key)
  local jobs, buyers, check = check_type(jobs_key, 'hash'), check_type(buyers_key, 'hash'), check_type(check_key, 'zset')
  return jobs or buyers or check
end

-- ready: loaded by this run of the server, to the end; and by a version of this program that notes the stock, or it has
-- to be loaded again.
local function open_sale(sale_key)
  if check_type(sale_key, 'hash') then return { missing = true } end
  local run, epoch, loading, stock = unpack(redis.call('HMGET', sale_key, 'run', 'epoch', 'loading', 's0'))
  local same_run = run == RUN and stock ~= false
  return {
    epoch = whole(epoch, 1, 4294967295), same_run = same_run, loading = loading and whole(loading, 0, 2 ^ 48),
    ready = same_run and not loading,
  }
end

local function read_rules(sale_key)
  local state, opens, closes, limit, forget, items, reloaded, lease =
    unpack(redis.call('HMGET', sale_key, 'state', 'opens', 'closes', 'limit', 'forget', 'items', 'reloaded', 'lease'))
  return {
    state = state, opens = whole(opens, 0, 2 ^ 48), closes = whole(closes, 0, 2 ^ 48), limit = whole(limit, 1, 65535),
    forget = whole(forget, 0, 2 ^ 48), items = whole(items, 1, 255),
    reloaded = reloaded and whole(reloaded, 0, 2 ^ 48), lease = lease and whole(lease, 0, 2 ^ 48) or 0,
  }
end

-- May a job without a record have been accepted all the same, before the sale was loaded again? A job id begins with
-- the time of its issue. The same rule as `may_be_on_its_way` in the domain.
local function may_be_on_its_way(rules, job, now)
  return rules.reloaded and now < rules.reloaded + SETTLING_MS and struct.unpack('>I6', job) < rules.reloaded + 2000
end

local COUNTERS = { 'free', 'unpublished', 'queued', 'version' }
local LETTERS = { free = 'f', unpublished = 'u', queued = 'q', version = 'v' }

local function read_counters(sale_key, count)
  local fields = {}
  for item = 0, count - 1 do
    for _, name in ipairs(COUNTERS) do fields[#fields + 1] = LETTERS[name] .. item end
  end
  local values = redis.call('HMGET', sale_key, unpack(fields))
  local items = {}
  for item = 0, count - 1 do
    local one = {}
    for at, name in ipairs(COUNTERS) do one[name] = whole(values[item * #COUNTERS + at], -(2 ^ 53), 2 ^ 53) end
    items[item] = one
  end
  return items
end

local function write_counters(sale_key, items)
  local fields = {}
  for item, one in pairs(items) do
    if one.changed then
      for _, name in ipairs(COUNTERS) do
        fields[#fields + 1] = LETTERS[name] .. item
        fields[#fields + 1] = string.format('%.0f', one[name])
      end
    end
  end
  if #fields > 0 then redis.call('HSET', sale_key, unpack(fields)) end
end

local function pack_record(r)
  return struct.pack(LAYOUT, r.state, r.rev, r.quantity, r.units, r.item, r.reason, r.admitted, r.updated) .. r.buyer
end

local function unpack_record(bytes)
  local r = {}
  r.state, r.rev, r.quantity, r.units, r.item, r.reason, r.admitted, r.updated = struct.unpack(LAYOUT, bytes)
  r.buyer = string.sub(bytes, LAYOUT_BYTES + 1)
  return r
end

local function pack_buyer(units, latest) return struct.pack('>I2', units) .. latest end

local function unpack_buyer(bytes)
  if not bytes then return 0, '' end
  return struct.unpack('>I2', bytes), string.sub(bytes, 3)
end

local function read_buyer(buyers_key, buyer) return unpack_buyer(redis.call('HGET', buyers_key, buyer)) end

-- Some fields of a hash, read by one command; what is put is seen at once and written by one command. At most 2,000.
local function open_hash(key, fields)
  local hash = { key = key, known = {}, fresh = {} }
  local values = #fields > 0 and redis.call('HMGET', key, unpack(fields)) or {}
  for at, value in ipairs(values) do hash.known[fields[at]] = value end
  return hash
end

local function put_field(hash, field, value)
  hash.known[field] = value
  hash.fresh[#hash.fresh + 1] = field
  hash.fresh[#hash.fresh + 1] = value
end

local function write_hash(hash)
  if #hash.fresh > 0 then redis.call('HSET', hash.key, unpack(hash.fresh)) end
end

-- A moment as commands take it: a number would be written with 17 digits each time.
local function text_of(ms) return string.format('%.0f', ms) end

-- Likewise for what is overdue when.
local function put_check(checks, job, at_ms)
  checks[#checks + 1] = at_ms
  checks[#checks + 1] = job
end

local function write_checks(check_key, checks)
  if #checks > 0 then redis.call('ZADD', check_key, unpack(checks)) end
end

local function move_allowance(buyers_key, buyer, difference, job)
  if buyer == '' or difference == 0 then return end
  local held, latest = read_buyer(buyers_key, buyer)
  local units = math.max(held + difference, 0)
  if units == 0 then
    redis.call('HDEL', buyers_key, buyer)
  else
    redis.call('HSET', buyers_key, buyer, pack_buyer(units, latest ~= '' and latest or job))
  end
end

-- Notes the broker's confirm of one job, if nothing newer is known of it.
local function mark_one(jobs, checks, items, job, unplaced_at)
  local bytes = jobs.known[job]
  if not bytes or string.sub(bytes, 1, 1) ~= 'U' then return end
  local units, number = struct.unpack('>I2B', bytes, 8)
  local item = items[number]
  if not item then return end
  item.unpublished = item.unpublished - units
  item.queued = item.queued + units
  item.changed = true
  put_field(jobs, job, 'Q' .. string.sub(bytes, 2))
  put_check(checks, job, unplaced_at)
end

local function expire_all(at_ms)
  for _, key in ipairs(KEYS) do redis.call('PEXPIREAT', key, string.format('%.0f', at_ms)) end
end

-- An effect has come: the sale stays readable for a day after it, however late that is.
local function keep_readable(sale_key, rules, now, keys_are_new)
  local keep = math.max(rules.forget, now + READABLE_MS)
  if keep > rules.forget then redis.call('HSET', sale_key, 'forget', string.format('%.0f', keep)) end
  if keep > rules.forget or keys_are_new then expire_all(keep) end
end

-- An effect of this version of the item has been applied.
local function note_version(item, version)
  if version <= item.version then return end
  item.version = version
  item.changed = true
end
