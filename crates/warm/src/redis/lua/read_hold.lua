-- The hold as it stands; read only, so that a server that takes no writes shows it. ARGV: 5 the hold, 6 when its id was minted.
if not loaded() then return UNLOADED end
tick()
local known, no = live(ARGV[5], ARGV[6])
if not known then return { 2, epoch, seq, no, '' } end
return { 0, epoch, seq, as_it_stands(ARGV[5]) }
