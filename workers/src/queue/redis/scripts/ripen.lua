-- ARGV: the keys' life, the caller's time, how many at most. Gives how many were due, and when the next is.
local ttl, moment, most = ARGV[1], ARGV[2], ARGV[3]
local due = call('ZRANGEBYSCORE', DUE, '-inf', moment, 'LIMIT', 0, most)
if #due > 0 then
  local _, turn = now()
  call('ZREM', DUE, unpack(due))
  local ids, items = {}, {}
  for i, item in ipairs(due) do ids[i] = sub(item, 2, 11) end
  local blocked = stale(due, ids)
  for i, item in ipairs(due) do
    if not blocked[i] then items[#items + 1] = item end
  end
  put_all(items, turn, ttl)
end
return { #due, call('ZRANGE', DUE, 0, 0, 'WITHSCORES')[2] or false }
