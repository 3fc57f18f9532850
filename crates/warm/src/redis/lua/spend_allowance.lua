-- Spends up to a number of units from an allowance that all nodes share, as `voelgoed_resilience::allowance::spend`; a full allowance has no key.
-- KEYS[1] is one caller under one limit. ARGV: 1 run id (unused), 2 time in microseconds (tests only; otherwise the server's time), 3 microseconds until
-- a unit returns, 4 burst, 5 maximum of units. Returns the spent units, or 0 and the wait in microseconds.

local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
local unit_micros, burst, units_max = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local span = unit_micros * burst
local full_at = math.min(math.max(tonumber(call('GET', base) or now), now), now + span)
local available = math.floor((now + span - full_at) / unit_micros)
if available < 1 then return { 0, full_at + unit_micros - now - span } end
local spent = math.min(available, math.max(units_max, 1))
full_at = full_at + spent * unit_micros
call('SET', base, string.format('%.0f', full_at), 'PX', math.max(math.ceil((full_at - now) / 1000), 1))
return { spent, 0 }
