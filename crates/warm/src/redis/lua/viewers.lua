-- Notes how many watch an event at a node, for a while, and answers how many do at all nodes whose time is not over. Needs no loaded event.
-- ARGV: 5 the node, 6 its viewers, 7 for how long in milliseconds.
local VIEWERS, now, all = base .. 'viewers', present(), 0
if ARGV[6] == '0' then call('HDEL', VIEWERS, ARGV[5])
else call('HSET', VIEWERS, ARGV[5], text(now + ARGV[7] * 1000) .. ' ' .. ARGV[6]) end
local told = call('HGETALL', VIEWERS)
for at = 1, #told, 2 do
  local until_, viewers = told[at + 1]:match('^(%d+) (%d+)$')
  -- What a newer node tells in another form ends with its own lease.
  if until_ and tonumber(until_) > now then all = all + viewers elseif until_ then call('HDEL', VIEWERS, told[at]) end
end
call('PEXPIRE', VIEWERS, ARGV[7] + 60000)
return { 0, 0, 0, all }
