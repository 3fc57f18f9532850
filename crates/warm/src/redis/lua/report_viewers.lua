-- Stores the viewers of an event on a node until an expiry, and returns the viewers on all nodes. Does not need the event to be loaded.
-- ARGV: 5 node, 6 viewers, 7 duration in milliseconds.
local VIEWERS, now, total = base .. 'viewers', current_time(), 0
if ARGV[6] == '0' then call('HDEL', VIEWERS, ARGV[5])
else call('HSET', VIEWERS, ARGV[5], text(now + ARGV[7] * 1000) .. ' ' .. ARGV[6]) end
local reports = call('HGETALL', VIEWERS)
for at = 1, #reports, 2 do
  local until_, viewers = reports[at + 1]:match('^(%d+) (%d+)$')
  -- A report of a newer program version in another format expires with the key.
  if until_ and tonumber(until_) > now then total = total + viewers elseif until_ then call('HDEL', VIEWERS, reports[at]) end
end
call('PEXPIRE', VIEWERS, ARGV[7] + 60000)
return { 0, 0, 0, total }
