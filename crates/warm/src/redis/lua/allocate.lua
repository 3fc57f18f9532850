-- Chooses the places of a request or refuses it; used by `hold` and `change_hold`. The order of checks is that of `domain`'s allocate.rs.
-- ARGV: 5 hold, 6 time in the hold's id, 7 session, 8 terms, 9 duration in milliseconds, 10 maximum of places per session, 11 version that a change
-- expects, 12 client address (sixteen bytes or empty), 13 maximum of places per address, 14 picks (four u32 each: 0, place, 0, 0; or 1, start, end, quantity).

local picks, terms, duration_millis, per_session, expected_version, address, per_address

local function read_request()
  terms, duration_millis, per_session, expected_version, picks = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), {}
  address, per_address = ARGV[12] ~= '' and ARGV[12] or nil, tonumber(ARGV[13])
  for at = 1, #ARGV[14], 16 do
    local kind, from, to, quantity = struct.unpack('<I4I4I4I4', ARGV[14], at)
    picks[#picks + 1] = { any = kind == 1, from = from, to = to, quantity = quantity }
  end
  return ARGV[5], ARGV[6], ARGV[7]
end

local function check_shape()
  if #picks == 0 then return 'invalid', 'items' end
  if duration_millis > HOLD_DURATION_MAX / 1000 then return 'invalid', 'lasts_millis' end
  if #terms > TERMS_BYTES_MAX then return 'too_large' end
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
  if wanted > PLACES_PER_HOLD_MAX then return 'limit', 'places_per_hold' end
  local used = usage(session)
  if not own and used.holds >= HOLDS_PER_SESSION_MAX then return 'limit', 'holds_per_session' end
  if math.max(used.places - own_places, 0) + wanted > per_session then return 'limit', 'places_per_session' end
  local from = address
  if own then from = address_of(get_hold(own)) end
  if from and wanted > own_places and address_usage(from).places - own_places + wanted > per_address then
    return 'limit', 'places_per_address_max'
  end
end

-- Adds the named places to `chosen`; the refusal lists every place that is taken.
local function choose_named(own, chosen)
  local taken, named = {}, {}
  for _, pick in ipairs(picks) do if not pick.any then named[#named + 1] = pick.from end end
  if own then read_holders(named) end
  for _, place in ipairs(named) do
    if (own and holder(place) == own) or display_state(place) == FREE then chosen[place] = true
    else taken[#taken + 1] = place end
  end
  if #taken > 0 then return 'place_taken', pack_places(taken) end
end

-- Chooses places in one range: places of the own hold first, then free ones, lowest first.
local function choose_any(pick, own_held, chosen)
  local list = {}
  for _, place in ipairs(own_held) do
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

-- One list of places per pick; or nil, the code of the refusal and its evidence. `own` is the hold that the request changes, `own_held` its places.
local function allocate(session, own, own_held)
  local code, evidence = check_shape()
  if not code then code, evidence = check_limits(session, own, #own_held) end
  if code then return nil, code, evidence end
  local chosen = {}
  code, evidence = choose_named(own, chosen)
  if code then return nil, code, evidence end
  table.sort(own_held)
  local lists = {}
  for at, pick in ipairs(picks) do
    lists[at] = { pick.from }
    if pick.any then
      lists[at] = choose_any(pick, own_held, chosen)
      if not lists[at] then return nil, 'sold_out' end
    end
  end
  return lists
end
