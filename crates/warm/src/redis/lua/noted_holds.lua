-- The notes of a session, newest first. KEYS[1] is the session. ARGV: 1 the run id (unused), 2 the moment in microseconds (tests only; else the server's
-- own), 3 the age in milliseconds from which on a note no longer counts.
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
return call('ZRANGE', base, '+inf', '(' .. text(now - ARGV[3] * 1000), 'BYSCORE', 'REV')
