-- ARGV: the keys' life, then the lanes' names. Gives how many are in each.
local ttl, counts = ARGV[1], {}
local _, turn = now()
for at = 2, #ARGV do
  local count = call('ZCARD', base .. ARGV[at])
  -- The turn may be lost though the lane is not.
  if count > 0 then give_turn(ARGV[at], turn) end
  counts[at - 1] = count
end
give_turns(ttl)
-- Leases that were lost leave their items behind, which nobody would ever remove. The other way round,
-- a lease that has lost its item ends like any other.
if call('HLEN', LEASED) > call('ZCARD', LEASES) then call('DEL', LEASED) end
return counts
