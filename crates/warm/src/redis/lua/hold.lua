-- Grants all that is asked for or nothing; the same id again answers the hold as it stands.
if not loaded() then return UNLOADED end
tick()
free_lapsed(SWEPT_PER_STEP)
if get(id) then
  local known, no = live(id, minted)
  if not known then return refuse(no) end
  if known.session ~= session then return refuse('not_found') end
  return answer(as_it_stands(id))
end
local lists, no, evidence = allot(nil, {})
if not lists then return refuse(no, evidence) end
local places = {}
for at, list in ipairs(lists) do places[at] = pack(list) end
enter(id, {
  session = session, expires = clock + lasts * 1000, phase = ACTIVE, ['until'] = 0, order = '', epoch = epoch, extended = false, version = 1,
  terms = terms, places = places,
})
for _, list in ipairs(lists) do for _, place in ipairs(list) do take_place(place, id) end end
return answer(as_it_stands(id))
