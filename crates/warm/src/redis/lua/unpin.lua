-- Takes a pin back; nothing happens where there is none. ARGV: 5 the hold.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
local known = get(ARGV[5])
if known and known.phase == PINNED then
  known.phase, known['until'] = ACTIVE, 0
  keep(ARGV[5], known)
end
return answer(0)
