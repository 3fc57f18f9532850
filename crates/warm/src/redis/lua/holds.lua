-- Holds: the packed record, the indexes by place, session and client address, and the expiry. All reads and writes go through the caches of the step,
-- so that its writes can wait for the end of the step.

-- A hold as it is stored and returned. Fields in order: session, expiry, phase, expiry of the pin, order (the client address while there is no order),
-- epoch, whether a node of an earlier version extended the hold, number of lists, version. `rest` contains the lists of places, each after its length in
-- bytes, and then the terms.
local RECORD = '<c16dBdc16dBI2I4'
local RECORD_BYTES = 64
local function pack_record(record, phase)
  return struct.pack(RECORD, record.session, record.expires, phase, record['until'], record.order, record.epoch, record.extended, record.lists,
    record.version) .. record.rest
end
local function unpack_record(text)
  local session, expires, phase, until_, order, of_epoch, extended, lists, version = struct.unpack(RECORD, text)
  return {
    session = session, expires = expires, phase = phase, ['until'] = until_, order = order, epoch = of_epoch, extended = extended, lists = lists,
    version = version, rest = text:sub(RECORD_BYTES + 1),
  }
end
-- Sets the lists of places and the terms of a record.
local function set_lists(record, lists, terms)
  local rest = {}
  for _, list in ipairs(lists) do
    local places = pack_places(list)
    rest[#rest + 1] = struct.pack('<I4', #places) .. places
  end
  record.lists, record.rest = #lists, table.concat(rest) .. terms
end
local function granted(record)
  local places, at = {}, 1
  for _ = 1, record.lists do
    local size = struct.unpack('<I4', record.rest, at)
    unpack_places(record.rest:sub(at + 4, at + 3 + size), places)
    at = at + 4 + size
  end
  return places
end

-- The caches of `book`.
local function cache_hold(hold, found)
  records[hold] = found and unpack_record(found) or false
  return records[hold]
end
local function cache_usage(session, found)
  local counts = { holds = 0, places = 0, is_new = not found }
  if found then counts.holds, counts.places = struct.unpack('<I4I4', found) end
  usages[session] = counts
  return counts
end

local function get_hold(hold)
  local record = records[hold]
  if record == nil then record = cache_hold(hold, call('HGET', BOOK, 'h' .. hold)) end
  return record
end

local function usage(session)
  return usages[session] or cache_usage(session, call('HGET', BOOK, 's' .. session))
end

-- Reads a hold and the usage of a session in one command.
local function get_hold_and_usage(hold, session)
  if records[hold] == nil and not usages[session] then
    local found = call('HMGET', BOOK, 'h' .. hold, 's' .. session)
    cache_hold(hold, found[1])
    cache_usage(session, found[2])
  end
  return get_hold(hold)
end

local function ends_at(record)
  if record.phase == PINNED then return math.max(record.expires, record['until']) end
  return record.expires
end

local function holder(place)
  local hold = holders[place]
  if hold == nil then
    hold = call('HGET', BOOK, place)
    holders[place] = hold
  end
  return hold
end

-- Reads the holders of many places in few commands.
local function read_holders(places)
  local wanted = {}
  for _, place in ipairs(places) do if holders[place] == nil then wanted[#wanted + 1] = place end end
  for from = 1, #wanted, 1000 do
    local found = call('HMGET', BOOK, unpack(wanted, from, math.min(from + 999, #wanted)))
    for at, hold in ipairs(found) do holders[wanted[from + at - 1]] = hold end
  end
end

-- The places of a hold that no other hold or order has taken since.
local function held_places(hold, record)
  local places = granted(record)
  read_holders(places)
  local own = {}
  for _, place in ipairs(places) do if holders[place] == hold then own[#own + 1] = place end end
  return own
end

local function change_usage(session, holds, places)
  local counts = usage(session)
  counts.holds, counts.places, counts.changed = counts.holds + holds, counts.places + places, true
end

-- The client address that the places of a hold count for; none after the hold became an order.
local function address_of(record)
  if record.phase ~= CLAIMED and record.order ~= NO_ORDER then return record.order end
end

local function address_usage(address)
  local counts = address_usages[address]
  if not counts then
    counts = { places = tonumber(call('HGET', ADDRESSES, address) or 0) }
    address_usages[address] = counts
  end
  return counts
end

local function change_address_usage(record, places)
  local address = address_of(record)
  if not address then return end
  local counts = address_usage(address)
  counts.places, counts.changed = counts.places + places, true
end

-- Stores a hold; expired holds are freed in the order of their ends.
local function store_hold(hold, record)
  local ends = ends_at(record)
  book_writes['h' .. hold] = pack_record(record, record.phase)
  call('ZADD', HOLDS, text(ends), hold)
  next_end = math.min(next_end, ends)
  records[hold], has_written = record, true
end

local function insert_hold(hold, record)
  if record.phase ~= CLAIMED then change_usage(record.session, 1, 0) end
  hold_count = hold_count + 1
  store_hold(hold, record)
end

local function remove_hold(hold, record)
  book_writes['h' .. hold] = false
  call('ZREM', HOLDS, hold)
  if record.phase ~= CLAIMED then change_usage(record.session, -1, 0) end
  records[hold], hold_count, has_written = false, hold_count - 1, true
end

local function assign(place, hold)
  book_writes[place] = hold
  holders[place], held_place_count = hold, held_place_count + 1
  local record = get_hold(hold)
  change_usage(record.session, 0, 1)
  change_address_usage(record, 1)
end

local function unassign(place)
  local hold = holder(place)
  if not hold then return end
  book_writes[place] = false
  holders[place], held_place_count = false, held_place_count - 1
  local record = get_hold(hold)
  if record then
    change_usage(record.session, 0, -1)
    change_address_usage(record, -1)
  end
end

local function take_place(place, hold) assign(place, hold) set_display_state(place, HELD) end
local function free_place(place) unassign(place) set_display_state(place, FREE) end

local function free_hold(hold)
  local record = get_hold(hold)
  if not record then return end
  for _, place in ipairs(held_places(hold, record)) do free_place(place) end
  remove_hold(hold, record)
end

local function free_expired(limit)
  if clock < next_end then return 0 end
  local expired = call('ZRANGE', HOLDS, '-inf', text(clock), 'BYSCORE', 'LIMIT', 0, limit)
  for _, hold in ipairs(expired) do free_hold(hold) end
  local first = call('ZRANGE', HOLDS, 0, 0, 'WITHSCORES')
  next_end = first[2] and tonumber(first[2]) or NEVER
  return #expired
end
