-- Grants all requested places or none; a repeat with the same id returns the hold.
if not loaded() then return UNLOADED end
local id, created_at, session = read_request()
advance_clock()
free_expired(FREED_PER_STEP_MAX)
if get_hold_and_usage(id, session) then
  local record, code = live_hold(id, created_at)
  if not record then return refuse(code) end
  if record.session ~= session then return refuse('not_found') end
  return answer(packed_hold(id))
end
local lists, code, evidence = allocate(session, nil, {})
if not lists then return refuse(code, evidence) end
local record = {
  session = session, expires = clock + duration_millis * 1000, phase = ACTIVE, ['until'] = 0, order = address or NO_ORDER, epoch = epoch, extended = 0, version = 1,
}
set_lists(record, lists, terms)
insert_hold(id, record)
for _, list in ipairs(lists) do for _, place in ipairs(list) do take_place(place, id) end end
return answer(book_writes['h' .. id])
