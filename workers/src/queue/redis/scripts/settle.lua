-- ARGV: the keys' life, how long to remember, then for each item its id and its sequence.
local ttl, keep, ids = ARGV[1], tonumber(ARGV[2]), {}
for at = 3, #ARGV, 2 do ids[#ids + 1] = ARGV[at] end
-- Removed before anything is added: a full Redis allows the rest from then on.
call('ZREM', LEASES, unpack(ids))
local ms = now()
local leases, leased = {}, {}
for i, id in ipairs(ids) do
  leases[2 * i - 1], leases[2 * i] = ms + keep, id
  leased[2 * i - 1], leased[2 * i] = id, '\0' .. ARGV[2 + 2 * i]
end
call('ZADD', LEASES, unpack(leases))
call('HSET', LEASED, unpack(leased))
call('PEXPIRE', LEASES, ttl)
call('PEXPIRE', LEASED, ttl)
