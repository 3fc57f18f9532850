-- The opening of every script of an event: what it reads first, how a place changes its look, how a step is closed.
-- Never: a rule that `voelgoed_domain::ticketing::inventory` does not have; each function here is named after the one there.
-- KEYS[1] is the event's prefix, which carries the hash tag. ARGV: 1 the run id of the server that the caller is connected to,
-- 2 and 3 the highest position that the caller has seen, 4 the moment in microseconds (tests only; else the server's own).

local call, base = redis.call, KEYS[1]
local META, TAKEN, SOLD, BLOCKED = base .. 'meta', base .. 'taken', base .. 'sold', base .. 'blocked'
local VERSIONS, HOLDS, HOLD_DATA = base .. 'versions', base .. 'holds', base .. 'hold_data'
local HOLDERS, SESSIONS, LOG = base .. 'holders', base .. 'sessions', base .. 'log'
local FREE, HELD = 0, 1
local ACTIVE, PINNED, CLAIMED = 0, 1, 2
local UNLOADED = { 1 }

-- What `meta` says: `open` counts the holds, `reach` the places in reach of one, `logged` the changes in the log.
local epoch, seq, length, clock, installed, run, open, reach, logged, areas

-- Whole numbers beyond 10^14 as text; Lua's own conversion would round them.
local function text(number) return string.format('%.0f', number) end

-- Reads `meta`; false where there is none.
local function read_meta()
  local found = call('HMGET', META, 'epoch', 'seq', 'length', 'clock', 'installed', 'run', 'open', 'reach', 'logged', 'areas')
  for at = 1, 10 do if not found[at] then return false end end
  epoch, seq, length, clock = tonumber(found[1]), tonumber(found[2]), tonumber(found[3]), tonumber(found[4])
  installed, run, open = tonumber(found[5]), found[6], tonumber(found[7])
  reach, logged, areas = tonumber(found[8]), tonumber(found[9]), found[10]
  return true
end

-- Whether nothing of the state is missing: a half-empty store is no store.
local function whole()
  local bytes = math.ceil(length / 8)
  return call('STRLEN', TAKEN) == bytes and call('STRLEN', SOLD) == bytes and call('STRLEN', BLOCKED) == bytes
    and call('STRLEN', VERSIONS) == length * 4 and call('ZCARD', HOLDS) == open and call('HLEN', HOLD_DATA) == open
    and call('HLEN', HOLDERS) == reach
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

-- What this step has seen of places, who holds them, holds and sessions; and what it has written.
local look, before, holders, records, tallies = {}, {}, {}, {}, {}
local wrote = false

local function shown(place)
  local known = look[place]
  if known then return known end
  if call('GETBIT', TAKEN, place) == 0 then known = FREE
  elseif call('GETBIT', SOLD, place) == 1 then known = 2
  elseif call('GETBIT', BLOCKED, place) == 1 then known = 3
  else known = HELD end
  look[place] = known
  return known
end

-- The one way in which a place changes its look.
local function show(place, now)
  local was = shown(place)
  if was == now then return end
  if was == FREE or now == FREE then call('SETBIT', TAKEN, place, now == FREE and 0 or 1) end
  if was == 2 or now == 2 then call('SETBIT', SOLD, place, now == 2 and 1 or 0) end
  if was == 3 or now == 3 then call('SETBIT', BLOCKED, place, now == 3 and 1 or 0) end
  look[place], wrote = now, true
  if before[place] == nil then before[place] = was end
end

-- The book of holds.
local function get(hold)
  local record = records[hold]
  if record == nil then
    local packed = call('HGET', HOLD_DATA, hold)
    record = packed and cmsgpack.unpack(packed) or false
    records[hold] = record
  end
  return record
end

local function lapses_at(record)
  if record.phase == PINNED then return math.max(record.expires, record['until']) end
  return record.expires
end

local function granted(record)
  local places = {}
  for _, packed in ipairs(record.places) do each(packed, places) end
  return places
end

local function holder(place)
  local hold = holders[place]
  if hold == nil then
    hold = call('HGET', HOLDERS, place)
    holders[place] = hold
  end
  return hold
end

-- Reads the holders of many places at once.
local function look_up(places)
  local wanted = {}
  for _, place in ipairs(places) do if holders[place] == nil then wanted[#wanted + 1] = place end end
  for from = 1, #wanted, 1000 do
    local found = call('HMGET', HOLDERS, unpack(wanted, from, math.min(from + 999, #wanted)))
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

local function tally(session)
  local known = tallies[session]
  if not known then
    local packed = call('HGET', SESSIONS, session)
    known = { holds = 0, places = 0 }
    if packed then known.holds, known.places = struct.unpack('<I4I4', packed) end
    tallies[session] = known
  end
  return known
end

local function count(session, holds, places)
  local known = tally(session)
  known.holds, known.places, known.changed = known.holds + holds, known.places + places, true
end

-- Writes a hold down; its end orders the sweep.
local function keep(hold, record)
  call('HSET', HOLD_DATA, hold, cmsgpack.pack(record))
  call('ZADD', HOLDS, text(lapses_at(record)), hold)
  records[hold], wrote = record, true
end

local function enter(hold, record)
  if record.phase ~= CLAIMED then count(record.session, 1, 0) end
  open = open + 1
  keep(hold, record)
end

local function strike(hold, record)
  call('HDEL', HOLD_DATA, hold)
  call('ZREM', HOLDS, hold)
  if record.phase ~= CLAIMED then count(record.session, -1, 0) end
  records[hold], open, wrote = false, open - 1, true
end

local function take(place, hold)
  call('HSET', HOLDERS, place, hold)
  holders[place], reach = hold, reach + 1
  count(get(hold).session, 0, 1)
end

local function let_go(place)
  local hold = holder(place)
  if not hold then return end
  call('HDEL', HOLDERS, place)
  holders[place], reach = false, reach - 1
  local record = get(hold)
  if record then count(record.session, 0, -1) end
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
  local lapsed = call('ZRANGE', HOLDS, '-inf', text(clock), 'BYSCORE', 'LIMIT', 0, most)
  for _, hold in ipairs(lapsed) do free_hold(hold) end
  return #lapsed
end

-- The log keeps a bounded number of steps and of changes; its entries are numbered `epoch-seq`.
local function write_log()
  local places, size = {}, 0
  for place, was in pairs(before) do
    if look[place] ~= was then size = size + 1 places[size] = place end
  end
  table.sort(places)
  for at, place in ipairs(places) do places[at] = struct.pack('<I4', place * 4 + look[place]) end
  call('XADD', LOG, text(epoch) .. '-' .. text(seq), 'p', table.concat(places))
  logged = logged + size
  local steps = call('XLEN', LOG)
  while steps > LOG_STEPS or (logged > LOG_CHANGES and steps > 1) do
    local oldest = call('XRANGE', LOG, '-', '+', 'COUNT', 1)[1]
    call('XDEL', LOG, oldest[1])
    steps, logged = steps - 1, logged - #oldest[2][2] / 4
  end
end

local function write_sessions()
  for session, known in pairs(tallies) do
    if known.changed then
      if known.holds <= 0 and known.places <= 0 then call('HDEL', SESSIONS, session)
      else call('HSET', SESSIONS, session, struct.pack('<I4I4', math.max(known.holds, 0), math.max(known.places, 0))) end
    end
  end
end

local function tell() call('SPUBLISH', base .. 'moved', text(epoch) .. ':' .. text(seq)) end

local function close_step()
  if not wrote then return end
  seq = seq + 1
  write_log()
  write_sessions()
  call('HSET', META, 'seq', text(seq), 'clock', text(clock), 'open', open, 'reach', reach, 'logged', logged)
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
  return { record.session, record.expires, phase, record['until'], record.order, record.epoch, record.terms, record.places,
    record.version or 1 }
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
