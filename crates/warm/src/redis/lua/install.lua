-- Makes an event's state anew from cold, under a higher epoch and the lease of its rebuild. Of each place the higher version counts, what the gate
-- knew stays known, and holds that conflict with nothing stay. ARGV: 5 the lease, 6 the epoch, 7 the number of places, 8 the areas,
-- 9 to 12 the bitmaps and versions that cold describes, 13 and 14 admitted and revoked tickets (sixteen bytes each).
local lease, until_ = (call('GET', base .. 'lease') or ''):match('^(%S+) (%d+)$')
if lease ~= ARGV[5] or tonumber(until_) <= present() then return UNLOADED end
local known = read_meta()
if known and tonumber(ARGV[6]) <= epoch then return UNLOADED end

local old_versions, old_taken, old_sold, old_blocked = '', '', '', ''
local old_records, old_holders, same = {}, {}, false
clock = known and math.max(clock, present()) or present()
-- A torn state hands nothing over but what the gate knew.
if known and areas == ARGV[8] and length == tonumber(ARGV[7]) and whole() then
  same = true
  old_versions, old_taken = call('GET', VERSIONS), call('GET', TAKEN)
  old_sold, old_blocked = call('GET', SOLD), call('GET', BLOCKED)
  local stored = call('HGETALL', HOLD_DATA)
  for at = 1, #stored, 2 do old_records[stored[at]] = cmsgpack.unpack(stored[at + 1]) end
  local held = call('HGETALL', HOLDERS)
  for at = 1, #held, 2 do old_holders[tonumber(held[at])] = held[at + 1] end
end

call('DEL', META, HOLDS, HOLD_DATA, HOLDERS, SESSIONS, LOG)
call('SET', TAKEN, ARGV[9])
call('SET', SOLD, ARGV[10])
call('SET', BLOCKED, ARGV[11])
call('SET', VERSIONS, ARGV[12])
epoch, seq, length, areas = tonumber(ARGV[6]), 0, tonumber(ARGV[7]), ARGV[8]
open, reach, logged = 0, 0, 0

local function old_bit(bits, place)
  return bit.band(bits:byte(math.floor(place / 8) + 1), bit.lshift(1, 7 - place % 8)) ~= 0
end
local function old_look(place)
  if not old_bit(old_taken, place) then return FREE end
  if old_bit(old_sold, place) then return 2 end
  if old_bit(old_blocked, place) then return 3 end
  return HELD
end

-- What cold decided after the rebuild had read it. Most versions agree: they are compared a stretch at a time.
local STRETCH = 1024
for from = 1, #old_versions, STRETCH do
  local was, is = old_versions:sub(from, from + STRETCH - 1), ARGV[12]:sub(from, from + STRETCH - 1)
  if was ~= is then
    for at = 1, #was, 4 do
      local version, place = struct.unpack('<I4', was, at), (from + at - 2) / 4
      if version > struct.unpack('<I4', is, at) then
        call('SETRANGE', VERSIONS, place * 4, struct.pack('<I4', version))
        show(place, old_holders[place] and FREE or old_look(place))
      end
    end
  end
end

-- The holds that nothing speaks against: all that was granted is still theirs, and free in cold.
local function survives(hold, record)
  for _, place in ipairs(granted(record)) do
    if old_holders[place] ~= hold or shown(place) ~= FREE then return false end
  end
  return true
end
for hold, record in pairs(old_records) do
  if lapses_at(record) > clock and (record.phase == CLAIMED or survives(hold, record)) then
    enter(hold, record)
    for _, place in ipairs(granted(record)) do
      if old_holders[place] == hold and shown(place) == FREE then take_place(place, hold) end
    end
  end
end

for set, tickets in pairs({ admitted = ARGV[13], revoked = ARGV[14] }) do
  for at = 1, #tickets, 16 do call('SADD', base .. set, tickets:sub(at, at + 15)) end
end
write_sessions()
call('HSET', META, 'epoch', text(epoch), 'seq', 0, 'length', length, 'clock', text(clock), 'installed', text(clock),
  'run', ARGV[1], 'open', open, 'reach', reach, 'logged', 0, 'areas', areas)
call('DEL', base .. 'lease')
tell()
return { 0, epoch, seq, same and 1 or 0 }
