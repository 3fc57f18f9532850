-- Notes that a session asked for a hold, and forgets its oldest notes beyond a bound. KEYS[1] is the session. ARGV: 1 the run id (unused), 2 the moment
-- in microseconds (tests only; else the server's own), 3 organization, event and hold (sixteen bytes each), 4 how many are kept, 5 for how many milliseconds.
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
call('ZADD', base, text(now), ARGV[3])
for _, oldest in ipairs(call('ZRANGE', base, 0, -ARGV[4] - 1)) do call('ZREM', base, oldest) end
call('PEXPIRE', base, ARGV[5])
return { 0, 0 }
