-- Gives the rebuild of an event to one node for a while: 0 where it is given, else the milliseconds until it is free. ARGV: 5 the lease, 6 how long in
-- milliseconds. The key goes by itself a while after the lease is over, in case that nobody ever installs.
local now = present()
local held, until_ = (call('GET', base .. 'lease') or ''):match('^(%S+) (%d+)$')
if held and held ~= ARGV[5] and tonumber(until_) > now then
  return { 0, 0, 0, math.ceil((tonumber(until_) - now) / 1000) }
end
local lasts = tonumber(ARGV[6])
call('SET', base .. 'lease', ARGV[5] .. ' ' .. text(now + lasts * 1000), 'PX', lasts + 60000)
return { 0, 0, 0, 0 }
