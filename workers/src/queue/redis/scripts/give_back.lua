-- ARGV: the keys' life; then for each item the name of its lane, its score and itself.
local ttl, ids = ARGV[1], {}
local _, turn = now()
for at = 4, #ARGV, 3 do ids[#ids + 1] = sub(ARGV[at], 2, 11) end
call('ZREM', LEASES, unpack(ids))
call('HDEL', LEASED, unpack(ids))
for at = 2, #ARGV, 3 do
  local lane, score, item = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if lane ~= 'due' then
    -- Its lease may have ended, and its older shape be back there.
    for _, other in ipairs(call('ZRANGEBYSCORE', base .. lane, score, score)) do
      if sub(other, 2, 11) == sub(item, 2, 11) then call('ZREM', base .. lane, other) end
    end
  end
  -- By its stream's number it comes in front of whatever came after it.
  put(lane, { score, item }, turn, ttl)
end
give_turns(ttl)
