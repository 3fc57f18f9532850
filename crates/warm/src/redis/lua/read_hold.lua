-- Returns a hold. ARGV: 5 hold, 6 time in the hold's id.
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
local record, code = live_hold(ARGV[5], ARGV[6])
if not record then return refuse(code) end
return answer(packed_hold(ARGV[5]))
