-- Adds tickets to a set of the gate filter. ARGV: 5 set, 6 tickets (sixteen bytes each).
if not loaded() then return UNLOADED end
for at = 1, #ARGV[6], 16 do add_to_filter(ARGV[5], ARGV[6]:sub(at, at + 15)) end
return { 0, epoch, seq, 0 }
