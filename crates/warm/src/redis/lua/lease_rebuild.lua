-- Leases the rebuild of an event to one node: 0 if granted, otherwise the milliseconds until the lease ends. ARGV: 5 lease, 6 duration in milliseconds.
-- The key expires a minute after the lease, in case no node installs.
local now = current_time()
local held, until_ = (call('GET', base .. 'lease') or ''):match('^(%S+) (%d+)$')
if held and held ~= ARGV[5] and tonumber(until_) > now then
  return { 0, 0, 0, math.ceil((tonumber(until_) - now) / 1000) }
end
local duration_millis = tonumber(ARGV[6])
call('SET', base .. 'lease', ARGV[5] .. ' ' .. text(now + duration_millis * 1000), 'PX', duration_millis + 60000)
return { 0, 0, 0, 0 }
