-- ARGV: the keys' life; then for each lane its name, its bound, the count of its items, and for each of
-- these its score and itself.
local ttl, at = ARGV[1], 2
local _, turn = now()
local leased = call('ZCARD', LEASES) > 0
while at < #ARGV do
  local lane, bound, count = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local first, last = at + 3, at + 2 + 2 * count
  local fresh
  if leased then
    local ids = {}
    for i = 1, count do ids[i] = sub(ARGV[first + 2 * i - 1], 2, 11) end
    local ends = call('ZMSCORE', LEASES, unpack(ids))
    fresh = {}
    for i = 1, count do
      if not ends[i] then
        fresh[#fresh + 1] = ARGV[first + 2 * i - 2]
        fresh[#fresh + 1] = ARGV[first + 2 * i - 1]
      end
    end
  else
    fresh = { unpack(ARGV, first, last) }
  end
  if #fresh > 0 then
    put(lane, fresh, turn, ttl)
    -- The oldest stay: what finds no room is left to the table.
    if call('ZCARD', base .. lane) > bound then call('ZREMRANGEBYRANK', base .. lane, bound, -1) end
  end
  at = last + 1
end
give_turns(ttl)
