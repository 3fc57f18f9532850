-- Hands out entries of the event's stream to one worker of the group: those that another one left, then new ones.
-- KEYS[1] is the event's prefix. ARGV: 1 and 2 as in append_counts.lua, 3 the worker, 4 for how long an entry may be in hands, in milliseconds, 5 most.

local stream, group, most = base .. 'counts', 'workers', tonumber(ARGV[5])
if call('EXISTS', stream) == 0 then return {} end
-- An error says that the group is there.
redis.pcall('XGROUP', 'CREATE', stream, group, '0')
local taken = call('XAUTOCLAIM', stream, group, ARGV[3], ARGV[4], '0-0', 'COUNT', most)[2]
if #taken < most then
  local fresh = call('XREADGROUP', 'GROUP', group, ARGV[3], 'COUNT', most - #taken, 'STREAMS', stream, '>')
  for _, entry in ipairs(fresh and fresh[1][2] or {}) do taken[#taken + 1] = entry end
end
local flat = {}
for _, entry in ipairs(taken) do
  local of = entry[2]
  flat[#flat + 1] = { entry[1], of[2], of[4], of[6], of[8] }
end
return flat
