-- Which places a request gets, or why none; shared by `hold` and `change_hold`. Checks come in the order of `domain`'s allot.rs.
-- ARGV: 5 the hold, 6 when its id was minted, 7 the session, 8 the terms, 9 how long it lasts in milliseconds, 10 the most places per session,
-- 11 the version that a change is made from, 12 the client address (sixteen bytes, or nothing), 13 the most places per address, 14 the picks (four u32 each: 0, place, 0, 0 or 1, start, end, quantity).

local picks, terms, lasts, per_session, of_version, address, per_address

local function read_request()
  terms, lasts, per_session, of_version, picks = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), {}
  address, per_address = ARGV[12] ~= '' and ARGV[12] or nil, tonumber(ARGV[13])
  for at = 1, #ARGV[14], 16 do
    local kind, from, to, quantity = struct.unpack('<I4I4I4I4', ARGV[14], at)
    picks[#picks + 1] = { any = kind == 1, from = from, to = to, quantity = quantity }
  end
  return ARGV[5], ARGV[6], ARGV[7]
end

local function check_shape()
  if #picks == 0 then return 'invalid', 'items' end
  if lasts > LONGEST_HOLD / 1000 then return 'invalid', 'lasts_millis' end
  if #terms > TERMS_BYTES then return 'too_large' end
  local named = {}
  for at, pick in ipairs(picks) do
    local sound
    if pick.any then sound = pick.quantity > 0 and pick.from < pick.to and pick.to <= length
    else
      sound = pick.from < length and not named[pick.from]
      named[pick.from] = true
    end
    if not sound then return 'invalid', 'items[' .. (at - 1) .. ']' end
  end
end

local function check_limits(session, own, own_places)
  local wanted = 0
  for _, pick in ipairs(picks) do wanted = wanted + (pick.any and pick.quantity or 1) end
  if wanted > PLACES_PER_HOLD then return 'limit', 'places_per_hold' end
  local has = tally(session)
  if not own and has.holds >= HOLDS_PER_SESSION then return 'limit', 'holds_per_session' end
  if math.max(has.places - own_places, 0) + wanted > per_session then return 'limit', 'places_per_session' end
  local from = address
  if own then from = address_of(get(own)) end
  if from and wanted > own_places and held_from(from).places - own_places + wanted > per_address then
    return 'limit', 'places_per_address_max'
  end
end

-- The exact places into `chosen`; a refusal names all that are another's.
local function exact(own, chosen)
  local taken, named = {}, {}
  for _, pick in ipairs(picks) do if not pick.any then named[#named + 1] = pick.from end end
  if own then look_up(named) end
  for _, place in ipairs(named) do
    if (own and holder(place) == own) or shown(place) == FREE then chosen[place] = true
    else taken[#taken + 1] = place end
  end
  if #taken > 0 then return 'place_taken', pack(taken) end
end

-- The places of one range: the hold's own first, then free ones, lowest first.
local function any_of(pick, kept, chosen)
  local list = {}
  for _, place in ipairs(kept) do
    if #list == pick.quantity then break end
    if place >= pick.from and place < pick.to and not chosen[place] then list[#list + 1] = place end
  end
  local from = pick.from
  while #list < pick.quantity and from < pick.to do
    local place = call('BITPOS', PLACES, 0, from, pick.to - 1, 'BIT')
    if place < 0 then break end
    if not chosen[place] then list[#list + 1] = place end
    from = place + 1
  end
  if #list < pick.quantity then return nil end
  for _, place in ipairs(list) do chosen[place] = true end
  return list
end

-- One list of places per pick, or nothing, the refusal and its evidence. `own` is the hold that the request replaces, `kept` its reach.
local function allot(session, own, kept)
  local no, evidence = check_shape()
  if not no then no, evidence = check_limits(session, own, #kept) end
  if no then return nil, no, evidence end
  local chosen = {}
  no, evidence = exact(own, chosen)
  if no then return nil, no, evidence end
  table.sort(kept)
  local lists = {}
  for at, pick in ipairs(picks) do
    lists[at] = { pick.from }
    if pick.any then
      lists[at] = any_of(pick, kept, chosen)
      if not lists[at] then return nil, 'sold_out' end
    end
  end
  return lists
end
