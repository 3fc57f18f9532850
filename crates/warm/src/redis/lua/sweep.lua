-- Frees lapsed holds as a step of its own. ARGV: 5 how many at most.
if not loaded() then return UNLOADED end
tick()
return answer(free_lapsed(tonumber(ARGV[5])))
