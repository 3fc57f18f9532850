-- Keeps a hold from lapsing while an order is written; its end stays. ARGV: 5 the hold, 6 when its id was minted.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
local id = ARGV[5]
local known, no = live(id, ARGV[6])
if not known then return refuse(no) end
if known.phase == CLAIMED then return refuse('ordered', known.order) end
local places, gone = granted(known), {}
look_up(places)
for _, place in ipairs(places) do if holders[place] ~= id then gone[#gone + 1] = place end end
if #gone > 0 then return refuse('place_taken', pack(gone)) end
known.phase, known['until'] = PINNED, clock + PIN_LASTS
keep(id, known)
return answer(as_it_stands(id))
