-- Frees lapsed holds as a step of its own; answers how many, and how many holds, kept scans and counts are left. ARGV: 5 how many at most (0: none).
if not loaded() then return UNLOADED end
local most, freed = tonumber(ARGV[5]), 0
if most > 0 then
  tick()
  freed = free_lapsed(most)
end
return answer({ freed, open, call('HLEN', base .. 'kept'), call('XLEN', base .. 'counts') })
