-- ARGV: the keys' life; then for each lane its name, its bound, the count of its items, and for each of
-- these its score and itself.
local ttl, lanes, ids, items = ARGV[1], {}, {}, {}
local _, turn = now()
local at = 2
while at < #ARGV do
  local count = tonumber(ARGV[at + 2])
  for i = at + 4, at + 2 + 2 * count, 2 do
    ids[#ids + 1] = sub(ARGV[i], 2, 11)
    items[#items + 1] = ARGV[i]
  end
  lanes[#lanes + 1] = at
  at = at + 3 + 2 * count
end

local blocked = stale(items, ids)
local nth = 0
for _, at in ipairs(lanes) do
  local lane, bound, fresh = ARGV[at], tonumber(ARGV[at + 1]), {}
  for i = at + 3, at + 2 + 2 * tonumber(ARGV[at + 2]), 2 do
    nth = nth + 1
    if not blocked[nth] then
      fresh[#fresh + 1] = ARGV[i]
      fresh[#fresh + 1] = ARGV[i + 1]
    end
  end
  if #fresh > 0 then
    put(lane, fresh, turn, ttl)
    -- The oldest stay: what finds no room is left to the table.
    if call('ZCARD', base .. lane) > bound then call('ZREMRANGEBYRANK', base .. lane, bound, -1) end
  end
end
give_turns(ttl)
