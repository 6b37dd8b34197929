-- KEYS[1]: what the names of a shard's keys begin with. ARGV: the moment in milliseconds; how long to keep
-- a key; and for each caller its id, rate, depth of the stock, wanted share, and what is held already.
local base, now, keep = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local answers = {}
for i = 3, #ARGV, 5 do
  local key, rate, depth = base .. ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
  local share, held = tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  local level, at = depth, now
  local stored = redis.call('GET', key)
  if stored then
    local known, since = string.match(stored, '^(%S+) (%d+)$')
    level, at = tonumber(known) or depth, tonumber(since) or now
  end
  -- One replica's clock may be behind another's.
  if now > at then
    level, at = level + (now - at) * rate / 1000, now
  end
  local all = math.min(level, depth) + held
  local granted = math.max(0, math.min(share, all))
  -- Nobody waits for longer than two seconds for what was let through while nobody could be asked.
  local rest = math.max(all - granted, -2 * rate)
  redis.call('SET', key, string.format('%.3f %.0f', rest, at), 'PX', keep)
  answers[#answers + 1] = string.format('%.3f', granted)
  answers[#answers + 1] = string.format('%.3f', rest)
end
return answers
