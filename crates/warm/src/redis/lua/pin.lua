-- Pins a hold so that it cannot expire while an order is placed; its own expiry stays. ARGV: 5 hold, 6 time in the hold's id.
if not loaded() then return UNLOADED end
advance_clock()
free_expired(FREED_PER_STEP_MAX)
local id = ARGV[5]
local record, code = live_hold(id, ARGV[6])
if not record then return refuse(code) end
if record.phase == CLAIMED then return refuse('ordered', record.order) end
local places, taken = granted(record), {}
read_holders(places)
for _, place in ipairs(places) do if holders[place] ~= id then taken[#taken + 1] = place end end
if #taken > 0 then return refuse('place_taken', pack_places(taken)) end
record.phase, record['until'] = PINNED, clock + PIN_DURATION
store_hold(id, record)
return answer(packed_hold(id))
