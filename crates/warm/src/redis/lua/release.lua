-- Frees an active hold; one that is gone already stays gone. ARGV: 5 the hold, 6 when its id was minted.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
if not live(ARGV[5], ARGV[6]) then return answer(0) end
local known, no, evidence = active(ARGV[5], ARGV[6])
if not known then return refuse(no, evidence) end
free_hold(ARGV[5])
return answer(0)
