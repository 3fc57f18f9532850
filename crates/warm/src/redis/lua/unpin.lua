-- Removes the pin of a hold; nothing happens if there is none. ARGV: 5 hold.
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
local record = get_hold(ARGV[5])
if record and record.phase == PINNED then
  record.phase, record['until'] = ACTIVE, 0
  store_hold(ARGV[5], record)
end
return answer(0)
