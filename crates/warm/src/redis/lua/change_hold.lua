-- Replaces the content of an active hold, all or nothing: keeps places of both, takes the new ones, frees the rest. The expiry stays.
if not loaded() then return UNLOADED end
local id, created_at, session = read_request()
advance_clock()
free_expired(FREED_PER_STEP_MAX)
local record, code, evidence = live_hold(id, created_at)
if not record then return refuse(code) end
if record.session ~= session then return refuse('not_found') end
record, code, evidence = active_hold(id, created_at)
if not record then return refuse(code, evidence) end
if record.version ~= expected_version then return refuse('changed') end
local held = held_places(id, record)
local lists
lists, code, evidence = allocate(session, id, held)
if not lists then return refuse(code, evidence) end
local wanted = {}
for _, list in ipairs(lists) do
  for _, place in ipairs(list) do wanted[place] = true end
end
for _, place in ipairs(held) do
  if wanted[place] then wanted[place] = false else free_place(place) end
end
for _, list in ipairs(lists) do
  for _, place in ipairs(list) do if wanted[place] then take_place(place, id) end end
end
set_lists(record, lists, terms)
record.version = expected_version + 1
store_hold(id, record)
return answer(packed_hold(id))
