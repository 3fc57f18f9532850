-- Grants all that is asked for or nothing; the same id again answers the hold as it stands.
if not loaded() then return UNLOADED end
local id, minted, session = read_request()
tick()
free_lapsed(SWEPT_PER_STEP)
if get_both(id, session) then
  local known, no = live(id, minted)
  if not known then return refuse(no) end
  if known.session ~= session then return refuse('not_found') end
  return answer(as_it_stands(id))
end
local lists, no, evidence = allot(session, nil, {})
if not lists then return refuse(no, evidence) end
local record = {
  session = session, expires = clock + lasts * 1000, phase = ACTIVE, ['until'] = 0, order = address or NO_ORDER, epoch = epoch, extended = 0, version = 1,
}
written(record, lists, terms)
enter(id, record)
for _, list in ipairs(lists) do for _, place in ipairs(list) do take_place(place, id) end end
return answer(entries['h' .. id])
