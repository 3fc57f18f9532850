-- Applies decisions of cold, each only if its version is newer than the place's. ARGV: 5 hold that became an order (or empty), 6 that order,
-- 7 effects (place u32, version u32, state u8).
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
local claimant = ARGV[5] ~= '' and ARGV[5]
if claimant then
  local record = get_hold(claimant)
  if record and record.phase ~= CLAIMED then
    change_address_usage(record, -#held_places(claimant, record))
    record.phase, record.order = CLAIMED, ARGV[6]
    store_hold(claimant, record)
    change_usage(record.session, -1, 0)
  end
end
for at = 1, #ARGV[7], 9 do
  local place, newer, state = struct.unpack('<I4I4B', ARGV[7], at)
  if place < length then
    local held_by = holder(place)
    if newer > version(place) then
      set_version(place, newer)
      has_written = true
      if state ~= FREE or not held_by then
        unassign(place)
        set_display_state(place, state)
      end
    elseif held_by and held_by == claimant then
      -- Cold has a newer decision than this claim, and a place that a hold has is free in cold.
      free_place(place)
    end
  end
end
return answer(0)
