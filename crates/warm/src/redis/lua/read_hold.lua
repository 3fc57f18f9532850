-- The hold as it stands. ARGV: 5 the hold, 6 when its id was minted.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
local known, no = live(ARGV[5], ARGV[6])
if not known then return refuse(no) end
return answer(as_it_stands(ARGV[5]))
