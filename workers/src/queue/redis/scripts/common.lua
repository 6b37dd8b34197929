-- Before every script. KEYS[1] is what the names of all keys of a route begin with; the hash tag in it
-- keeps them in one slot, and a cluster finds the slot by it.
local base, call, sub, byte, floor = KEYS[1], redis.call, string.sub, string.byte, math.floor
local LEASES, LEASED, DUE = base .. 'leases', base .. 'leased', base .. 'due'

-- Redis's time in milliseconds; and in microseconds, in which turns are counted: it grows by itself.
local function now()
  local time = call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000), time[1] * 1000000 + time[2]
end

-- 'lane:<rank>:<sender>' of an item; nil where it is not one of this version.
local function lane_of(item)
  local version, rank, length = byte(item, 1), byte(item, 20), byte(item, 21)
  if version ~= 1 or not length or rank > 3 or #item < 21 + length then return nil end
  return 'lane:' .. rank .. ':' .. sub(item, 22, 21 + length)
end

-- A sender that has something has a turn; one it has already stays where it is. Collected by priority:
-- with many senders, calls for each would cost more than the items.
local turns_of = {}
local function give_turn(lane, turn)
  local rank = sub(lane, 6, 6)
  local turns = turns_of[rank] or {}
  turns_of[rank] = turns
  turns[#turns + 1] = turn
  turns[#turns + 1] = sub(lane, 8)
end
local function give_turns(ttl)
  for rank, turns in pairs(turns_of) do
    call('ZADD', base .. 'turns:' .. rank, 'NX', unpack(turns))
    call('PEXPIRE', base .. 'turns:' .. rank, ttl)
  end
end

-- Adds alternating scores and items to a lane, or to what is due. Turns are to be given in the end.
local function put(lane, entries, turn, ttl)
  local key = base .. lane
  call('ZADD', key, 'NX', unpack(entries))
  call('PEXPIRE', key, ttl)
  if lane ~= 'due' then give_turn(lane, turn) end
end

-- Puts items of any lanes into theirs, in the order of their streams; drops what is no item.
local function put_all(items, turn, ttl)
  local lanes = {}
  for _, item in ipairs(items) do
    local lane = item and lane_of(item)
    if lane then
      local entries = lanes[lane] or {}
      lanes[lane] = entries
      entries[#entries + 1] = struct.unpack('>I8', item, 2)
      entries[#entries + 1] = item
    end
  end
  for lane, entries in pairs(lanes) do put(lane, entries, turn, ttl) end
  give_turns(ttl)
end

-- What is not to be added again, as it is taken, or as it was when it was settled: a table of its places.
-- Settling leaves the sequence behind a byte 0 in the item's place, until the lease ends: what has happened
-- since is newer.
local function stale(items, ids)
  local blocked = {}
  if #ids == 0 or call('ZCARD', LEASES) == 0 then return blocked end
  local held, places, ms = {}, {}, now()
  for i, till in ipairs(call('ZMSCORE', LEASES, unpack(ids))) do
    -- One that has ended holds nothing, though no take has cleared it away yet.
    if till and tonumber(till) > ms then
      held[#held + 1] = ids[i]
      places[#places + 1] = i
    end
  end
  if #held == 0 then return blocked end
  local fresh = {}
  for nth, value in ipairs(call('HMGET', LEASED, unpack(held))) do
    local i = places[nth]
    if value and byte(value, 1) == 0 and sub(items[i], 12, 19) > sub(value, 2, 9) then
      fresh[#fresh + 1] = held[nth]
    else
      blocked[i] = true
    end
  end
  if #fresh > 0 then
    call('ZREM', LEASES, unpack(fresh))
    call('HDEL', LEASED, unpack(fresh))
  end
  return blocked
end
