-- Gives how many are ready of each priority.
local counts = {}
for rank = 0, 3 do
  local count = 0
  for _, sender in ipairs(call('ZRANGE', base .. 'turns:' .. rank, 0, -1)) do
    count = count + call('ZCARD', base .. 'lane:' .. rank .. ':' .. sender)
  end
  counts[rank + 1] = count
end
return counts
