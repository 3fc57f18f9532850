-- Hands entries of the event's stream to one worker of the group: entries that another worker abandoned first, then new ones.
-- ARGV: 1 and 2 as in append_counts.lua, 3 worker, 4 idle time in milliseconds after which an entry counts as abandoned, 5 maximum of entries.

local stream, group, limit = base .. 'counts', 'workers', tonumber(ARGV[5])
if call('EXISTS', stream) == 0 then return {} end
-- An error means that the group exists.
redis.pcall('XGROUP', 'CREATE', stream, group, '0')
local taken = call('XAUTOCLAIM', stream, group, ARGV[3], ARGV[4], '0-0', 'COUNT', limit)[2]
if #taken < limit then
  local new = call('XREADGROUP', 'GROUP', group, ARGV[3], 'COUNT', limit - #taken, 'STREAMS', stream, '>')
  for _, entry in ipairs(new and new[1][2] or {}) do taken[#taken + 1] = entry end
end
local flat = {}
for _, entry in ipairs(taken) do
  local fields = entry[2]
  flat[#flat + 1] = { entry[1], fields[2], fields[4], fields[6], fields[8] }
end
return flat
