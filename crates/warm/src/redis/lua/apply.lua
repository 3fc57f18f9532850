-- Carries over what cold decided, each place only above its version. ARGV: 5 the hold that became an order by it (or nothing),
-- 6 that order, 7 the effects (place u32, version u32, look u8).
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
local claimant = ARGV[5] ~= '' and ARGV[5]
if claimant then
  local known = get(claimant)
  if known and known.phase ~= CLAIMED then
    count_address(known, -#in_reach(claimant, known))
    known.phase, known.order = CLAIMED, ARGV[6]
    keep(claimant, known)
    count(known.session, -1, 0)
  end
end
for at = 1, #ARGV[7], 9 do
  local place, newer, now = struct.unpack('<I4I4B', ARGV[7], at)
  if place < length then
    local held_by = holder(place)
    if newer > version(place) then
      set_version(place, newer)
      wrote = true
      if now ~= FREE or not held_by then
        let_go(place)
        show(place, now)
      end
    elseif held_by and held_by == claimant then
      -- Cold has moved on since this claim, and what is in a hold's reach is free there.
      free_place(place)
    end
  end
end
return answer(0)
