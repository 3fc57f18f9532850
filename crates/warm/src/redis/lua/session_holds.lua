-- Returns the holds of a session, newest first. KEYS[1] is the session. ARGV: 1 run id (unused), 2 time in microseconds (tests only; otherwise the
-- server's time), 3 maximum age in milliseconds.
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
return call('ZRANGE', base, '+inf', '(' .. text(now - ARGV[3] * 1000), 'BYSCORE', 'REV')
