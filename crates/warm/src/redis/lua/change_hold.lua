-- Replaces an active hold's content: what both have is kept, the new is taken, the rest is freed; all or nothing. Its end stays.
if not loaded() then return UNLOADED end
local id, minted, session = read_request()
tick()
free_lapsed(SWEPT_PER_STEP)
local known, no, evidence = live(id, minted)
if not known then return refuse(no) end
if known.session ~= session then return refuse('not_found') end
known, no, evidence = active(id, minted)
if not known then return refuse(no, evidence) end
if known.version ~= of_version then return refuse('changed') end
local had = in_reach(id, known)
local lists
lists, no, evidence = allot(session, id, had)
if not lists then return refuse(no, evidence) end
local wanted = {}
for _, list in ipairs(lists) do
  for _, place in ipairs(list) do wanted[place] = true end
end
for _, place in ipairs(had) do
  if wanted[place] then wanted[place] = false else free_place(place) end
end
for _, list in ipairs(lists) do
  for _, place in ipairs(list) do if wanted[place] then take_place(place, id) end end
end
written(known, lists, terms)
known.version = of_version + 1
keep(id, known)
return answer(as_it_stands(id))
