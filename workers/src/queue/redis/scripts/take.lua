-- ARGV: how many, the lease in milliseconds, the keys' life. Gives the items.
--
-- What is popped is popped before anything is added: from then on Redis lets the script write even where
-- it is out of memory, so that a full Redis can be drained.
local want, lease, ttl = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local ms, turn = now()

local ended = call('ZRANGEBYSCORE', LEASES, '-inf', ms, 'LIMIT', 0, 200)
if #ended > 0 then
  local items = call('HMGET', LEASED, unpack(ended))
  call('ZREM', LEASES, unpack(ended))
  call('HDEL', LEASED, unpack(ended))
  put_all(items, turn, ttl)
end

local taken, ids, seen = {}, {}, {}

-- Takes from the senders of a priority, the same number of each; gives how many that were.
local function drain(rank, quota)
  local turns, got = base .. 'turns:' .. rank, 0
  while got < quota do
    local senders = call('ZCARD', turns)
    if senders == 0 then break end
    local left = quota - got
    local quantum = math.max(1, floor(left / senders))
    local front, back = call('ZRANGE', turns, 0, math.min(senders, left) - 1), {}
    call('ZREMRANGEBYRANK', turns, 0, #front - 1)
    for _, sender in ipairs(front) do
      local lane = base .. 'lane:' .. rank .. ':' .. sender
      local items
      if quantum == 1 then
        -- One call where one is all there is to do; of many, the scores cost more than a second call.
        items = call('ZPOPMIN', lane)
        items[2] = nil
      else
        items = call('ZRANGE', lane, 0, quantum - 1)
        if #items > 0 then call('ZREMRANGEBYRANK', lane, 0, #items - 1) end
      end
      for _, item in ipairs(items) do
        local id = sub(item, 2, 11)
        local place = seen[id]
        if place then
          -- Two shapes of one delivery stand side by side, the newer behind.
          taken[place] = item
        else
          got = got + 1
          place = #taken + 1
          taken[place], ids[place], seen[id] = item, id, place
        end
      end
      -- One that gave less than it was asked for has nothing more.
      if #items == quantum then
        turn = turn + 1
        back[#back + 1] = turn
        back[#back + 1] = sender
      end
    end
    if #back > 0 then
      call('ZADD', turns, unpack(back))
      call('PEXPIRE', turns, ttl)
    end
  end
  return got
end

local WEIGHTS, credits, open = { 64, 16, 4, 1 }, {}, {}
local count, only = 0, nil
for level = 1, 4 do
  open[level] = call('EXISTS', base .. 'turns:' .. (level - 1)) == 1
  if open[level] then count, only = count + 1, level end
end
if count == 1 then
  -- Nobody to share with.
  drain(only - 1, want)
elseif count > 1 then
  local stored = call('GET', base .. 'credits')
  if stored then
    local level = 1
    for number in string.gmatch(stored, '%d+') do
      credits[level] = tonumber(number)
      level = level + 1
    end
  end
  if #credits ~= 4 then credits = { unpack(WEIGHTS) } end
  while count > 0 and #taken < want do
    -- What each would give if it had enough, so that each is asked once.
    local quota, left = { 0, 0, 0, 0 }, want - #taken
    while left > 0 do
      local before = left
      for level = 1, 4 do
        local part = open[level] and math.min(credits[level], left) or 0
        quota[level], credits[level], left = quota[level] + part, credits[level] - part, left - part
      end
      if left == before then credits = { unpack(WEIGHTS) } end
    end
    for level = 1, 4 do
      if quota[level] > 0 and drain(level - 1, quota[level]) < quota[level] then
        open[level], count = false, count - 1
      end
    end
  end
  call('SET', base .. 'credits', table.concat(credits, ' '), 'PX', ttl)
end

if #taken > 0 then
  local leases, leased, till = {}, {}, ms + lease
  for i = 1, #taken do
    leases[2 * i - 1], leases[2 * i] = till, ids[i]
    leased[2 * i - 1], leased[2 * i] = ids[i], taken[i]
  end
  call('ZADD', LEASES, unpack(leases))
  call('HSET', LEASED, unpack(leased))
  call('PEXPIRE', LEASES, ttl)
  call('PEXPIRE', LEASED, ttl)
end
return taken
