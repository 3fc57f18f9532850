-- Adds a hold to its session and drops the oldest entries beyond a maximum. KEYS[1] is the session. ARGV: 1 run id (unused), 2 time in microseconds
-- (tests only; otherwise the server's time), 3 organization, event and hold (sixteen bytes each), 4 maximum of entries, 5 expiry in milliseconds.
local now = tonumber(ARGV[2])
if not now then
  local time = call('TIME')
  now = time[1] * 1000000 + time[2]
end
call('ZADD', base, text(now), ARGV[3])
for _, oldest in ipairs(call('ZRANGE', base, 0, -ARGV[4] - 1)) do call('ZREM', base, oldest) end
call('PEXPIRE', base, ARGV[5])
return { 0, 0 }
