-- An allowance that all nodes share, as `voelgoed_resilience::allowance::spend`: spends up to `most`, and forgets who has all of it back.
-- KEYS[1] is one caller under one limit. ARGV: 1 the run id (every call has it; nothing here depends on it), 2 the moment in microseconds
-- (tests only; else the server's own), 3 how long one takes to come back, 4 all of it, 5 most. Answers what was spent, and else how long to wait.

local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
local each, burst, most = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local span = each * burst
local full_at = math.min(math.max(tonumber(call('GET', base) or now), now), now + span)
local fits = math.floor((now + span - full_at) / each)
if fits < 1 then return { 0, full_at + each - now - span } end
local spent = math.min(fits, math.max(most, 1))
full_at = full_at + spent * each
call('SET', base, string.format('%.0f', full_at), 'PX', math.max(math.ceil((full_at - now) / 1000), 1))
return { spent, 0 }
