-- One batch, all or nothing. KEYS[i] goes with ARGV[4i-3 .. 4i]: operation, value, lifetime in ms ("" = none), prefix.
-- Conditions come first; the first that does not hold ends it before anything is changed.
local function prune(set, most, prefix)
  for _, member in ipairs(redis.call('SRANDMEMBER', set, most)) do
    if redis.call('EXISTS', prefix .. member) == 0 then redis.call('SREM', set, member) end
  end
end
for i, key in ipairs(KEYS) do
  local op, value, prefix = ARGV[4 * i - 3], ARGV[4 * i - 2], ARGV[4 * i]
  if op == 'absent' and redis.call('EXISTS', key) == 1 then return 0 end
  if op == 'present' and redis.call('EXISTS', key) == 0 then return 0 end
  if op == 'is' and redis.call('GET', key) ~= value then return 0 end
  if op == 'fewer' and redis.call('SCARD', key) >= tonumber(value) then
    prune(key, 500, prefix)
    if redis.call('SCARD', key) >= tonumber(value) then return 0 end
  end
end
for i, key in ipairs(KEYS) do
  local op, value, lifetime, prefix = ARGV[4 * i - 3], ARGV[4 * i - 2], ARGV[4 * i - 1], ARGV[4 * i]
  if op == 'put' and lifetime ~= '' then redis.call('SET', key, value, 'PX', lifetime)
  elseif op == 'put' then redis.call('SET', key, value)
  elseif op == 'delete' then redis.call('DEL', key)
  elseif op == 'remove' then redis.call('SREM', key, value)
  elseif op == 'add' then
    prune(key, 8, prefix)
    redis.call('SADD', key, value)
  end
end
return 1
