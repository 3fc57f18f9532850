-- What is known of a ticket; a revoked one is revoked, admitted or not. ARGV: 5 the ticket.
if not loaded() then return UNLOADED end
local known = 0
if call('SISMEMBER', base .. 'revoked', ARGV[5]) == 1 then known = 2
elseif call('SISMEMBER', base .. 'admitted', ARGV[5]) == 1 then known = 1 end
return { 0, epoch, seq, known }
