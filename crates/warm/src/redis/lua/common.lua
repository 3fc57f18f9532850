-- The library that all commands share: what each reads first, how a place changes its look, how a step is closed.
-- Never: a rule that `voelgoed_domain::ticketing::inventory` does not have; each function here is named after the one there. Never either: anything kept
-- from one call to the next but the names of keys; `begin` makes the rest anew.
-- KEYS[1] is the event's prefix, which carries the hash tag. ARGV: 1 the run id of the server that the caller is connected to,
-- 2 and 3 the highest position that the caller has seen, 4 the moment in microseconds (tests only; else the server's own).
--
-- Keys: `meta` the packed state and the areas; `places` the bitmaps taken, sold, blocked and a version of four bytes for each place, one after the
-- other; `holds` when each hold lapses; `book` the holds (h…), the hold that has a place (its number), what each session has (s…); `log` the last steps; `addresses` how
-- many places the holds of each client address have.

local call, ARGV, base, META, PLACES, HOLDS, BOOK, LOG, ASKED, ADDRESSES
local FREE, HELD = 0, 1
local ACTIVE, PINNED, CLAIMED = 0, 1, 2
local UNLOADED = { 1 }
local NO_ORDER = ('\0'):rep(16)
local NEVER = 2 ^ 53
local DROPPED_TOGETHER = 64

-- What `meta` says: `open` counts the holds, `reach` the places in reach of one, `seated` the sessions that have something, `logged` the changes in the
-- log; no hold lapses before `next_lapse`.
local epoch, seq, length, clock, installed, open, reach, seated, logged, next_lapse, run
-- The bytes of a bitmap.
local bytes

-- What this step has seen of places, who holds them, holds and sessions; what it writes in the book, and whether it has written anything.
local look, before, holders, records, tallies, addresses, entries, wrote

local function begin(keys, argv)
  call, ARGV = redis.call, argv
  if base ~= keys[1] then
    base = keys[1]
    META, PLACES, HOLDS, BOOK, LOG = base .. 'meta', base .. 'places', base .. 'holds', base .. 'book', base .. 'log'
    ASKED, ADDRESSES = base .. 'asked', base .. 'addresses'
  end
  look, before, holders, records, tallies, addresses, entries, wrote = {}, {}, {}, {}, {}, {}, {}, false
end

-- Whole numbers beyond 10^14 as text; Lua's own conversion would round them.
local function text(number) return string.format('%d', number) end

-- Reads the state; false where there is none.
local function read_meta()
  local state = call('HGET', META, 'state')
  if not state then return false end
  epoch, seq, length, clock, installed, open, reach, seated, logged, next_lapse = struct.unpack('<dddddddddd', state)
  run, bytes = state:sub(81), math.ceil(length / 8)
  return true
end

local function write_meta()
  local state = struct.pack('<dddddddddd', epoch, seq, length, clock, installed, open, reach, seated, logged, next_lapse)
  call('HSET', META, 'state', state .. run)
end

local function read_areas() return call('HGET', META, 'areas') end

-- Whether nothing of the state is missing: a half-empty store is no store.
local function whole()
  return call('STRLEN', PLACES) == bytes * 3 + length * 4 and call('ZCARD', HOLDS) == open and call('HLEN', BOOK) == open + reach + seated
end

-- Whether this is a state to act upon: there, whole, not older than the caller knows, and written by this very server process
-- (one that was promoted or restarted may have lost writes that somebody was told of).
local function loaded()
  if not read_meta() or run ~= ARGV[1] then return false end
  local seen_epoch, seen_seq = tonumber(ARGV[2]), tonumber(ARGV[3])
  if epoch < seen_epoch or (epoch == seen_epoch and seq < seen_seq) then return false end
  return whole()
end

local function present()
  if ARGV[4] ~= '' then return tonumber(ARGV[4]) end
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- The clock never goes back. It is kept by the steps that write.
local function tick() clock = math.max(clock, present()) end

-- Packed lists of u32, as they are sent and stored.
local function pack(places)
  local packed = {}
  for at, place in ipairs(places) do packed[at] = struct.pack('<I4', place) end
  return table.concat(packed)
end
local function each(packed, into)
  for at = 1, #packed, 4 do into[#into + 1] = struct.unpack('<I4', packed, at) end
  return into
end

local function shown(place)
  local known = look[place]
  if known then return known end
  local sold = bytes * 8
  if call('GETBIT', PLACES, place) == 0 then known = FREE
  elseif call('GETBIT', PLACES, sold + place) == 1 then known = 2
  elseif call('GETBIT', PLACES, sold * 2 + place) == 1 then known = 3
  else known = HELD end
  look[place] = known
  return known
end

-- The one way in which a place changes its look.
local function show(place, now)
  local was = shown(place)
  if was == now then return end
  local sold = bytes * 8
  if was == FREE or now == FREE then call('SETBIT', PLACES, place, now == FREE and 0 or 1) end
  if was == 2 or now == 2 then call('SETBIT', PLACES, sold + place, now == 2 and 1 or 0) end
  if was == 3 or now == 3 then call('SETBIT', PLACES, sold * 2 + place, now == 3 and 1 or 0) end
  look[place], wrote = now, true
  if before[place] == nil then before[place] = was end
end

local function version_at(place) return bytes * 3 + place * 4 end
local function version(place)
  local at = version_at(place)
  return (struct.unpack('<I4', call('GETRANGE', PLACES, at, at + 3)))
end
local function set_version(place, version) call('SETRANGE', PLACES, version_at(place), struct.pack('<I4', version)) end

-- A hold as it is kept and answered: session, end, phase, end of the pin, order (before there is one: the client address that its places count for), epoch,
-- whether a node of an earlier version extended it, how many lists of places, version; then (`rest`)
-- the lists, each behind its length in bytes, and the terms.
local RECORD = '<c16dBdc16dBI2I4'
local RECORD_BYTES = 64
local function packed(record, phase)
  return struct.pack(RECORD, record.session, record.expires, phase, record['until'], record.order, record.epoch, record.extended, record.lists,
    record.version) .. record.rest
end
local function unpacked(text)
  local session, expires, phase, until_, order, of_epoch, extended, lists, version = struct.unpack(RECORD, text)
  return {
    session = session, expires = expires, phase = phase, ['until'] = until_, order = order, epoch = of_epoch, extended = extended, lists = lists,
    version = version, rest = text:sub(RECORD_BYTES + 1),
  }
end
-- The lists of places and the terms of a record.
local function written(record, lists, terms)
  local rest = {}
  for _, list in ipairs(lists) do
    local places = pack(list)
    rest[#rest + 1] = struct.pack('<I4', #places) .. places
  end
  record.lists, record.rest = #lists, table.concat(rest) .. terms
end
local function granted(record)
  local places, at = {}, 1
  for _ = 1, record.lists do
    local size = struct.unpack('<I4', record.rest, at)
    each(record.rest:sub(at + 4, at + 3 + size), places)
    at = at + 4 + size
  end
  return places
end

-- The book. Everything is read through what the step knows already, so that its writes can wait for the end of the step.
local function known_record(hold, found)
  records[hold] = found and unpacked(found) or false
  return records[hold]
end
local function known_tally(session, found)
  local known = { holds = 0, places = 0, is_new = not found }
  if found then known.holds, known.places = struct.unpack('<I4I4', found) end
  tallies[session] = known
  return known
end

local function get(hold)
  local record = records[hold]
  if record == nil then record = known_record(hold, call('HGET', BOOK, 'h' .. hold)) end
  return record
end

local function tally(session)
  return tallies[session] or known_tally(session, call('HGET', BOOK, 's' .. session))
end

-- Reads a hold and a session together.
local function get_both(hold, session)
  if records[hold] == nil and not tallies[session] then
    local found = call('HMGET', BOOK, 'h' .. hold, 's' .. session)
    known_record(hold, found[1])
    known_tally(session, found[2])
  end
  return get(hold)
end

local function lapses_at(record)
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

-- Reads the holders of many places at once.
local function look_up(places)
  local wanted = {}
  for _, place in ipairs(places) do if holders[place] == nil then wanted[#wanted + 1] = place end end
  for from = 1, #wanted, 1000 do
    local found = call('HMGET', BOOK, unpack(wanted, from, math.min(from + 999, #wanted)))
    for at, hold in ipairs(found) do holders[wanted[from + at - 1]] = hold end
  end
end

local function in_reach(hold, record)
  local places = granted(record)
  look_up(places)
  local own = {}
  for _, place in ipairs(places) do if holders[place] == hold then own[#own + 1] = place end end
  return own
end

local function count(session, holds, places)
  local known = tally(session)
  known.holds, known.places, known.changed = known.holds + holds, known.places + places, true
end

local function address_of(record)
  if record.phase ~= CLAIMED and record.order ~= NO_ORDER then return record.order end
end

local function held_from(address)
  local known = addresses[address]
  if not known then
    known = { places = tonumber(call('HGET', ADDRESSES, address) or 0) }
    addresses[address] = known
  end
  return known
end

local function count_address(record, places)
  local address = address_of(record)
  if not address then return end
  local known = held_from(address)
  known.places, known.changed = known.places + places, true
end

-- Writes a hold down; its end orders the sweep.
local function keep(hold, record)
  local lapses = lapses_at(record)
  entries['h' .. hold] = packed(record, record.phase)
  call('ZADD', HOLDS, text(lapses), hold)
  next_lapse = math.min(next_lapse, lapses)
  records[hold], wrote = record, true
end

local function enter(hold, record)
  if record.phase ~= CLAIMED then count(record.session, 1, 0) end
  open = open + 1
  keep(hold, record)
end

local function strike(hold, record)
  entries['h' .. hold] = false
  call('ZREM', HOLDS, hold)
  if record.phase ~= CLAIMED then count(record.session, -1, 0) end
  records[hold], open, wrote = false, open - 1, true
end

local function take(place, hold)
  entries[place] = hold
  holders[place], reach = hold, reach + 1
  local record = get(hold)
  count(record.session, 0, 1)
  count_address(record, 1)
end

local function let_go(place)
  local hold = holder(place)
  if not hold then return end
  entries[place] = false
  holders[place], reach = false, reach - 1
  local record = get(hold)
  if record then
    count(record.session, 0, -1)
    count_address(record, -1)
  end
end

local function take_place(place, hold) take(place, hold) show(place, HELD) end
local function free_place(place) let_go(place) show(place, FREE) end

local function free_hold(hold)
  local record = get(hold)
  if not record then return end
  for _, place in ipairs(in_reach(hold, record)) do free_place(place) end
  strike(hold, record)
end

local function free_lapsed(most)
  if clock < next_lapse then return 0 end
  local lapsed = call('ZRANGE', HOLDS, '-inf', text(clock), 'BYSCORE', 'LIMIT', 0, most)
  for _, hold in ipairs(lapsed) do free_hold(hold) end
  local first = call('ZRANGE', HOLDS, 0, 0, 'WITHSCORES')
  next_lapse = first[2] and tonumber(first[2]) or NEVER
  return #lapsed
end

-- The log keeps a bounded number of steps and of changes; an entry begins with the number of its step, by which a list that is not whole is known.
-- Steps beyond the bound are let go of many at a time, and never told of.
local function drop(steps, most)
  for _, step in ipairs(call('LPOP', LOG, most)) do logged = logged - (#step / 4 - 1) end
  return steps - most
end

local function write_log()
  local places = {}
  for place, was in pairs(before) do
    if look[place] ~= was then places[#places + 1] = place end
  end
  table.sort(places)
  logged = logged + #places
  for at, place in ipairs(places) do places[at] = struct.pack('<I4', place * 4 + look[place]) end
  local steps = call('RPUSH', LOG, struct.pack('<I4', seq % 2 ^ 32) .. table.concat(places))
  if steps >= LOG_STEPS + DROPPED_TOGETHER then steps = drop(steps, steps - LOG_STEPS) end
  while logged > LOG_CHANGES and steps > 1 do steps = drop(steps, 1) end
end

-- The entries after `since_seq`; nothing where one of them is not kept.
local function logged_since(since_seq)
  local steps = {}
  if seq - since_seq > LOG_STEPS then return nil end
  if since_seq < seq then steps = call('LRANGE', LOG, since_seq - seq, -1) end
  if since_seq + #steps ~= seq then return nil end
  for at, step in ipairs(steps) do
    if struct.unpack('<I4', step) ~= (since_seq + at) % 2 ^ 32 then return nil end
    steps[at] = step:sub(5)
  end
  return steps
end

local function write_addresses()
  -- Also where a node of an earlier version, which does not count addresses, freed the last place.
  if reach == 0 then return call('DEL', ADDRESSES) end
  for address, known in pairs(addresses) do
    if known.changed and known.places > 0 then call('HSET', ADDRESSES, address, known.places)
    elseif known.changed then call('HDEL', ADDRESSES, address) end
  end
end

local function write_book()
  for session, known in pairs(tallies) do
    if known.changed then
      local is_gone = known.holds <= 0 and known.places <= 0
      if known.is_new ~= is_gone then seated = seated + (is_gone and -1 or 1) end
      if not (known.is_new and is_gone) then
        entries['s' .. session] = not is_gone and struct.pack('<I4I4', math.max(known.holds, 0), math.max(known.places, 0))
      end
    end
  end
  local set, struck = {}, {}
  for field, value in pairs(entries) do
    if value then set[#set + 1], set[#set + 2] = field, value else struck[#struck + 1] = field end
  end
  for from = 1, #struck, 1000 do call('HDEL', BOOK, unpack(struck, from, math.min(from + 999, #struck))) end
  for from = 1, #set, 1000 do call('HSET', BOOK, unpack(set, from, math.min(from + 999, #set))) end
  write_addresses()
end

local function tell() call('SPUBLISH', base .. 'moved', text(epoch) .. ':' .. text(seq)) end

local function close_step()
  if not wrote then return end
  seq = seq + 1
  write_log()
  write_book()
  write_meta()
  tell()
end

-- The two ends of a step.
local function answer(value)
  close_step()
  return { 0, epoch, seq, value }
end
local function refuse(code, evidence)
  close_step()
  return { 2, epoch, seq, code, evidence or '' }
end

local function as_it_stands(hold)
  local record = get(hold)
  local phase = record.phase
  if phase == PINNED and record['until'] <= clock then phase = ACTIVE end
  return packed(record, phase)
end

-- The hold, unless it has lapsed, swept or not; else why not. `minted` is when its id was made, in microseconds, where that is known.
local function live(hold, minted)
  local record = get(hold)
  if record and lapses_at(record) > clock then return record end
  minted = tonumber(minted)
  if not record and minted and minted < installed and installed - minted < LONGEST_HOLD then return nil, 'lost' end
  return nil, 'expired'
end

-- The hold, while no order is written from it and none was.
local function active(hold, minted)
  local record, no = live(hold, minted)
  if not record then return nil, no end
  if record.phase == CLAIMED then return nil, 'ordered', record.order end
  if record.phase == PINNED and record['until'] > clock then return nil, 'being_ordered' end
  return record
end
