-- The state of a ticket in the gate filter; a revoked ticket is revoked whether admitted or not. ARGV: 5 ticket.
if not loaded() then return UNLOADED end
local state = 0
if call('SISMEMBER', base .. 'revoked', ARGV[5]) == 1 then state = 2
elseif call('SISMEMBER', base .. 'admitted', ARGV[5]) == 1 then state = 1 end
return { 0, epoch, seq, state }
