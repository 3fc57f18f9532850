-- The number of places that the holds of a session have. ARGV: 5 session.
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
return answer(usage(ARGV[5]).places)
