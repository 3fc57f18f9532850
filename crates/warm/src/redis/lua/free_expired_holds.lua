-- Frees expired holds as a step of its own; returns how many, and the holds, offline scans and counts that are left. ARGV: 5 maximum of holds (0: none).
if not loaded() then return UNLOADED end
local limit, freed = tonumber(ARGV[5]), 0
if limit > 0 then
  advance_clock()
  freed = free_expired(limit)
end
return answer({ freed, hold_count, call('HLEN', base .. 'kept'), call('XLEN', base .. 'counts') })
