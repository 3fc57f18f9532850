-- Removes entries of the event's stream that cold has recorded; returns how many are left.
-- ARGV: 1 and 2 as in append_counts.lua, then the ids of the entries.

local stream = base .. 'counts'
if call('EXISTS', stream) == 0 then return 0 end
for at = 3, #ARGV do
  redis.pcall('XACK', stream, 'workers', ARGV[at])
  call('XDEL', stream, ARGV[at])
end
return call('XLEN', stream)
