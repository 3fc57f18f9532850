-- Frees an active hold; nothing happens if the hold is gone already. ARGV: 5 hold, 6 time in the hold's id.
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
if not live_hold(ARGV[5], ARGV[6]) then return answer(0) end
local record, code, evidence = active_hold(ARGV[5], ARGV[6])
if not record then return refuse(code, evidence) end
free_hold(ARGV[5])
return answer(0)
