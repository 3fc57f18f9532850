-- How many places a session has in the reach of its holds. ARGV: 5 the session.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
return answer(tally(ARGV[5]).places)
