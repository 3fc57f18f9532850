-- Forgets entries of the event's stream that cold has; answers how many are left.
-- KEYS[1] is the event's prefix. ARGV: 1 and 2 as in append_counts.lua, then the entries.

local stream = base .. 'counts'
if call('EXISTS', stream) == 0 then return 0 end
for at = 3, #ARGV do
  redis.pcall('XACK', stream, 'workers', ARGV[at])
  call('XDEL', stream, ARGV[at])
end
return call('XLEN', stream)
